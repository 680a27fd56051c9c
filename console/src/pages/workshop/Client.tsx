import { DeleteOutlined } from '@ant-design/icons'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Badge, Button, Checkbox, Flex, Form, Input, Select, Space } from 'antd'
import { useEffect, useState } from 'react'
import { api, must } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { DevicePicker } from '../../parts/DevicePicker'
import { Refused } from '../../parts/Refused'
import { explainTexts } from '../../parts/sharedTexts'
import { type Profile, useProfiles } from './profiles'
import { Talk } from './Talk'
import { workshopTexts } from './texts'
import { useClient } from './useClient'

const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
const at = (port: number) => `${scheme}://${location.hostname}:${port}/mqtt`

// Client is an MQTT client in the page: who it is on one side, what it says and
// hears on the other.
export function Client() {
  const t = useTexts(workshopTexts)
  const e = useTexts(explainTexts)
  const [form] = Form.useForm<Profile>()
  const profiles = useProfiles()
  const [chosen, choose] = useState<string>()
  const [device, setDevice] = useState<{ product: string; device: string }>()
  const client = useClient()
  const server = useQuery({ queryKey: ['overview'], queryFn: () => must(api.GET('/api/v1/overview')) })
  useEffect(() => {
    if (server.data && !form.getFieldValue('url')) form.setFieldValue('url', at(server.data.port))
  }, [form, server.data])
  const operates = may(useMe(), 'operator')
  const borrow = useMutation({
    mutationFn: async (path: { product: string; device: string }) =>
      (await must(api.GET('/api/v1/products/{product}/devices/{device}/credentials', { params: { path, query: { tls: scheme === 'wss' } } }))).items?.[0],
    onSuccess: (login, { device }) => login && form.setFieldsValue({ url: at(login.port), clientId: login.clientId, username: login.username, password: login.password, profile: device }),
  })
  const save = () => {
    const p = form.getFieldsValue()
    const name = p.profile?.trim()
    if (!name) return form.setFields([{ name: 'profile', errors: [t.nameIt] }])
    profiles.save({ ...p, profile: name })
    choose(name)
  }
  return (
    <div className="halves">
      <Form form={form} layout="vertical" initialValues={{ version: '3.1.1' }} onFinish={(p) => void client.connect(login(p))}>
        {operates && (
          <Form.Item label={t.borrow} extra={t.borrowHelp}>
            <DevicePicker value={device} choose={(product, device) => {
              setDevice({ product, device })
              borrow.mutate({ product, device })
            }} />
          </Form.Item>
        )}
        <Refused error={borrow.error} />
        {profiles.all.length > 0 && (
          <Form.Item label={t.profiles}>
            <Space.Compact block>
              <Select
                aria-label={t.profiles} value={chosen ?? null} style={{ flex: 1 }} options={profiles.all.map((p) => ({ value: p.profile!, label: p.profile! }))}
                onChange={(name: string) => {
                  choose(name)
                  form.setFieldsValue({ clientId: '', username: '', password: '', ...profiles.all.find((p) => p.profile === name) })
                }}
              />
              <Button icon={<DeleteOutlined />} aria-label={t.forget} title={t.forget} disabled={!chosen} onClick={() => {
                profiles.remove(chosen!)
                choose(undefined)
              }} />
            </Space.Compact>
          </Form.Item>
        )}
        <Form.Item name="url" label={t.address} validateFirst rules={[{ required: true }, { pattern: /^wss?:\/\/[^\s/]+\S*$/i, message: t.noAddress }]}><Input className="mono" /></Form.Item>
        <Form.Item name="version" label={t.version}><Select style={{ width: 120 }} options={['3.1.1', '5.0'].map((value) => ({ value, label: value }))} /></Form.Item>
        <Form.Item name="clientId" label={e.clientId}><Input className="mono" /></Form.Item>
        <Form.Item name="username" label={e.username}><Input className="mono" autoComplete="off" /></Form.Item>
        <Form.Item name="password" label={e.password}><Input.Password autoComplete="off" /></Form.Item>
        <Flex gap={8} wrap align="center" style={{ marginBottom: 24 }}>
          {client.state === 'on' ? <Button onClick={client.end}>{t.disconnect}</Button> : <Button type="primary" htmlType="submit" loading={client.state === 'trying'}>{t.connect}</Button>}
          <Badge status={client.state === 'on' ? 'success' : client.state === 'trying' ? 'processing' : 'default'} text={t.state[client.state]} />
        </Flex>
        <Form.Item label={t.profile} htmlFor="profile" style={{ marginBottom: 8 }}>
          <Space.Compact block>
            <Form.Item name="profile" noStyle><Input id="profile" /></Form.Item>
            <Button onClick={save}>{t.save}</Button>
          </Space.Compact>
        </Form.Item>
        <Form.Item name="keepSecret" valuePropName="checked"><Checkbox>{t.keepSecret}</Checkbox></Form.Item>
      </Form>
      <Talk client={client} device={device} />
    </div>
  )
}

function login({ url, version, clientId, username, password }: Profile) {
  return { url: url.trim(), ...(version && { version }), ...(clientId && { clientId }), ...(username && { username }), ...(password && { password }) }
}
