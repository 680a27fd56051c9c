import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Descriptions, Flex, Form, Input, InputNumber, Segmented, Select, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { explainTexts } from '../../parts/sharedTexts'
import { workshopTexts } from './texts'

type Aliyun = Schemas['SignAliyunInputBody']
type OneNET = Schemas['SignOneNETInputBody']

// Signer computes what a device has to send, and shows the text it signs.
export function Signer() {
  const [vendor, setVendor] = useState('Aliyun')
  return (
    <Flex vertical gap={16}>
      <Segmented value={vendor} onChange={setVendor} options={['Aliyun', 'OneNET']} style={{ alignSelf: 'start' }} />
      {vendor === 'Aliyun' ? <AliyunForm /> : <OneNETForm />}
    </Flex>
  )
}

const filled = <T extends object>(v: T) => Object.fromEntries(Object.entries(v).filter(([, x]) => x !== '' && x !== undefined && x !== null)) as T
const choices = (...all: string[]) => all.map((value) => ({ value, label: value }))

function AliyunForm() {
  const t = useTexts(workshopTexts)
  const e = useTexts(explainTexts)
  const sign = useMutation({ mutationFn: (v: Aliyun) => must(api.POST('/api/v1/sign/aliyun', { body: filled(v) })) })
  return (
    <>
      <Form layout="vertical" style={{ maxWidth: 560 }} initialValues={{ method: 'hmacsha256' }} onFinish={(v: Aliyun) => sign.mutate(v)}>
        <Form.Item name="productKey" label="ProductKey" rules={[{ required: true }]}><Input /></Form.Item>
        <Form.Item name="deviceName" label="DeviceName" rules={[{ required: true }]}><Input /></Form.Item>
        <Form.Item name="deviceSecret" label="DeviceSecret" rules={[{ required: true }]}><Input.Password autoComplete="off" /></Form.Item>
        <Form.Item name="clientId" label={e.clientId}><Input placeholder="ProductKey.DeviceName" /></Form.Item>
        <Form.Item name="timestamp" label={t.timestamp}><Input /></Form.Item>
        <Form.Item name="method" label={t.method}><Select options={choices('hmacmd5', 'hmacsha1', 'hmacsha256')} /></Form.Item>
        <Button type="primary" htmlType="submit" loading={sign.isPending}>{t.signIt}</Button>
      </Form>
      <Signed {...sign} />
    </>
  )
}

function OneNETForm() {
  const t = useTexts(workshopTexts)
  const sign = useMutation({ mutationFn: (v: OneNET) => must(api.POST('/api/v1/sign/onenet', { body: filled(v) })) })
  return (
    <>
      <Form layout="vertical" style={{ maxWidth: 560 }} initialValues={{ method: 'sha1', level: 'device' }} onFinish={(v: OneNET) => sign.mutate(v)}>
        <Form.Item name="level" label={t.level}><Select options={[{ value: 'device', label: t.levelDevice }, { value: 'product', label: t.levelProduct }]} /></Form.Item>
        <Form.Item name="productId" label={t.productId} rules={[{ required: true }]}><Input /></Form.Item>
        <Form.Item name="deviceName" label={t.deviceName}><Input /></Form.Item>
        <Form.Item name="key" label={t.key} rules={[{ required: true }]}><Input.Password autoComplete="off" /></Form.Item>
        <Form.Item name="et" label={t.et}><InputNumber min={0} style={{ width: 200 }} /></Form.Item>
        <Form.Item name="method" label={t.method}><Select options={choices('md5', 'sha1', 'sha256')} /></Form.Item>
        <Button type="primary" htmlType="submit" loading={sign.isPending}>{t.signIt}</Button>
      </Form>
      <Signed {...sign} />
    </>
  )
}

function Signed({ data, error }: { data: Schemas['Signed'] | undefined; error: Error | null }) {
  const e = useTexts(explainTexts)
  if (error) return <Alert type="error" showIcon title={error.message} />
  if (!data) return null
  const item = (label: string, text = '') => ({
    key: label, label, children: <Typography.Text className="mono" copyable={{ text }} style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>{text}</Typography.Text>,
  })
  return <Descriptions bordered size="small" column={1} items={[item(e.stringToSign, data.stringToSign), item(e.clientId, data.clientId), item(e.username, data.username), item(e.password, data.password)]} />
}
