import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Descriptions, Empty, Flex, Form, Input, InputNumber, Segmented, Select, Switch, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { useMoment } from '../../parts/Moment'
import { Refused } from '../../parts/Refused'
import { explainTexts } from '../../parts/sharedTexts'
import { filled } from './filled'
import { workshopTexts } from './texts'

type Aliyun = Schemas['SignAliyunInputBody']
type OneNET = Schemas['SignOneNETInputBody']

// Signer computes what a device has to send, and shows the text it signs.
export function Signer() {
  const t = useTexts(workshopTexts)
  const [vendor, setVendor] = useState('aliyun')
  return (
    <Flex vertical gap={16}>
      <Segmented value={vendor} onChange={setVendor} options={[{ value: 'aliyun', label: t.aliyun }, { value: 'onenet', label: 'OneNET' }]} style={{ alignSelf: 'start' }} />
      {vendor === 'aliyun' ? <AliyunForm /> : <OneNETForm />}
    </Flex>
  )
}

const choices = (...all: string[]) => all.map((value) => ({ value, label: value }))

function AliyunForm() {
  const t = useTexts(workshopTexts)
  const e = useTexts(explainTexts)
  const whole = useWhole()
  const sign = useMutation({ mutationFn: (v: Aliyun) => must(api.POST('/api/v1/sign/aliyun', { body: filled(v) })) })
  return (
    <div className="halves">
      <Form layout="vertical" initialValues={{ method: 'hmacsha256' }} onValuesChange={sign.reset} onFinish={(v: Aliyun) => sign.mutate(v)}>
        <Form.Item name="productKey" label="ProductKey" rules={whole}><Input /></Form.Item>
        <Form.Item name="deviceName" label="DeviceName" rules={whole}><Input /></Form.Item>
        <Form.Item name="deviceSecret" label="DeviceSecret" rules={whole}><Input.Password autoComplete="off" /></Form.Item>
        <Form.Item name="clientId" label={e.clientId}><Input placeholder="ProductKey.DeviceName" /></Form.Item>
        <Form.Item name="timestamp" label={t.timestamp} rules={[{ pattern: /^\d*$/, message: t.digits }]}><Input /></Form.Item>
        <Form.Item name="method" label={t.method}><Select options={choices('hmacmd5', 'hmacsha1', 'hmacsha256')} /></Form.Item>
        <Form.Item name="tls" label={t.tls} valuePropName="checked"><Switch /></Form.Item>
        <Button type="primary" htmlType="submit" loading={sign.isPending}>{t.signIt}</Button>
      </Form>
      <Signed {...sign} />
    </div>
  )
}

function OneNETForm() {
  const t = useTexts(workshopTexts)
  const whole = useWhole()
  const sign = useMutation({ mutationFn: (v: OneNET) => must(api.POST('/api/v1/sign/onenet', { body: filled(v) })) })
  return (
    <div className="halves">
      <Form layout="vertical" initialValues={{ method: 'sha1', level: 'device' }} onValuesChange={sign.reset} onFinish={(v: OneNET) => sign.mutate(v)}>
        <Form.Item name="level" label={t.level}><Select options={[{ value: 'device', label: t.levelDevice }, { value: 'product', label: t.levelProduct }]} /></Form.Item>
        <Form.Item name="productId" label={t.productId} rules={whole}><Input /></Form.Item>
        <Form.Item noStyle dependencies={['level']}>
          {({ getFieldValue }) => getFieldValue('level') === 'device' && <Form.Item name="deviceName" label={t.deviceName} rules={whole}><Input /></Form.Item>}
        </Form.Item>
        <Form.Item name="key" label={t.key} rules={whole}><Input.Password autoComplete="off" /></Form.Item>
        <Form.Item name="et" label={t.et} rules={[{ type: 'integer', max: 99_999_999_999, message: t.etSeconds }]}><InputNumber min={0} controls={false} style={{ width: 200 }} /></Form.Item>
        <Form.Item name="method" label={t.method}><Select options={choices('md5', 'sha1', 'sha256')} /></Form.Item>
        <Button type="primary" htmlType="submit" loading={sign.isPending}>{t.signIt}</Button>
      </Form>
      <Signed {...sign} />
    </div>
  )
}

// useWhole are the rules of what is signed as it stands: a blank that was copied
// along gives another signature.
function useWhole() {
  const t = useTexts(workshopTexts)
  return [{ required: true }, { pattern: /^\S*$/, message: t.blanks }]
}

function Signed({ data, error }: { data: Schemas['Signed'] | undefined; error: Error | null }) {
  const t = useTexts(workshopTexts)
  const e = useTexts(explainTexts)
  const moment = useMoment()
  if (error) return <Refused error={error} />
  if (!data) return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t.signHint} />
  const item = (label: string, text = '') => ({
    key: label, label, children: <Typography.Text className="mono" copyable={{ text }} style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>{text}</Typography.Text>,
  })
  const over = data.expires && Date.parse(data.expires) < Date.now()
  return (
    <Flex vertical gap={12}>
      {over && <Alert type="warning" showIcon title={t.expired} />}
      <Descriptions
        bordered size="small" column={1}
        items={[
          item(e.stringToSign, data.stringToSign),
          ...(data.clientId ? [item(e.clientId, data.clientId)] : []), ...(data.username ? [item(e.username, data.username)] : []), item(e.password, data.password),
          ...(data.expires ? [{ key: 'expires', label: t.expires, children: moment(data.expires) }] : []),
        ]}
      />
    </Flex>
  )
}
