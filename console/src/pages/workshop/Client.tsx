import type { MqttClient } from 'mqtt'
import { Alert, Badge, Button, Card, Checkbox, Flex, Form, Input, Select, Tag, Typography } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useTexts } from '../../i18n/texts'
import { explainTexts } from '../../parts/sharedTexts'
import { workshopTexts } from './texts'

type Profile = { profile?: string; url: string; clientId?: string; username?: string; password?: string; keepSecret?: boolean }
type Said = { n: number; at: Date; mine: boolean; topic: string; text: string }

const kept = 'matou.mqtt.profiles'
const shownAtMost = 500

function profiles(): Profile[] {
  try {
    return JSON.parse(localStorage.getItem(kept) ?? '[]') as Profile[]
  } catch {
    return []
  }
}

// Client is an MQTT client over WebSocket. MQTT.js is loaded when it connects;
// of a profile the password is kept only where the visitor asks for it.
export function Client() {
  const t = useTexts(workshopTexts)
  const e = useTexts(explainTexts)
  const [form] = Form.useForm<Profile>()
  const [all, setAll] = useState(profiles)
  const [state, setState] = useState<'off' | 'trying' | 'on'>('off')
  const [error, setError] = useState('')
  const [said, setSaid] = useState<Said[]>([])
  const client = useRef<MqttClient>(undefined)
  const count = useRef(0)
  const gone = useRef(false)
  useEffect(() => {
    gone.current = false
    return () => {
      gone.current = true
      client.current?.end(true)
    }
  }, [])
  const add = (mine: boolean, topic: string, text: string) => setSaid((old) => [{ n: ++count.current, at: new Date(), mine, topic, text }, ...old].slice(0, shownAtMost))

  const connect = async (p: Profile) => {
    setError('')
    setState('trying')
    try {
      const { default: mqtt } = await import('mqtt')
      if (gone.current) return
      client.current?.end(true)
      const c = mqtt.connect(p.url, {
        reconnectPeriod: 0,
        timerVariant: 'native', // the other one is a worker out of a blob, which the content security policy refuses
        ...(p.clientId && { clientId: p.clientId }), ...(p.username && { username: p.username }), ...(p.password && { password: p.password }),
      })
      c.on('connect', () => setState('on'))
      c.on('close', () => setState('off'))
      c.on('error', (err) => setError(err.message))
      c.on('message', (topic, payload) => add(false, topic, payload.toString()))
      client.current = c
    } catch (err) {
      setError(String(err))
      setState('off')
    }
  }
  const save = () => {
    const { password, ...p } = form.getFieldsValue()
    const next = [...all.filter((x) => x.profile !== p.profile), { ...p, ...(p.keepSecret && password && { password }) }]
    localStorage.setItem(kept, JSON.stringify(next))
    setAll(next)
  }
  const failed = (err?: Error | null) => err && setError(err.message)

  return (
    <div className="halves">
      <Form form={form} layout="vertical" initialValues={{ url: `ws://${location.hostname}:1883/mqtt` }} onFinish={(p) => void connect(p)}>
        {all.length > 0 && (
          <Form.Item label={t.profiles}>
            <Select options={all.map((p) => ({ value: p.profile ?? '', label: p.profile ?? '' }))} onChange={(name: string) => form.setFieldsValue({ password: '', ...all.find((p) => p.profile === name) })} />
          </Form.Item>
        )}
        <Form.Item name="url" label={t.address} rules={[{ required: true }]}><Input className="mono" /></Form.Item>
        <Form.Item name="clientId" label={e.clientId}><Input className="mono" /></Form.Item>
        <Form.Item name="username" label={e.username}><Input className="mono" autoComplete="off" /></Form.Item>
        <Form.Item name="password" label={e.password}><Input.Password autoComplete="off" /></Form.Item>
        <Form.Item name="profile" label={t.profile}><Input /></Form.Item>
        <Form.Item name="keepSecret" valuePropName="checked"><Checkbox>{t.keepSecret}</Checkbox></Form.Item>
        <Flex gap={8} wrap align="center">
          {state === 'on' ? <Button onClick={() => client.current?.end()}>{t.disconnect}</Button> : <Button type="primary" htmlType="submit" loading={state === 'trying'}>{t.connect}</Button>}
          <Button onClick={save}>{t.save}</Button>
          <Badge status={state === 'on' ? 'success' : state === 'trying' ? 'processing' : 'default'} text={t.state[state]} />
        </Flex>
      </Form>
      <Flex vertical gap={16}>
        {error && <Alert type="error" showIcon title={error} />}
        <Form layout="inline" disabled={state !== 'on'} initialValues={{ filter: '#' }} onFinish={(v: { filter: string }) => client.current?.subscribe(v.filter, failed)}>
          <Form.Item name="filter" label={t.filter} rules={[{ required: true }]}><Input className="mono" /></Form.Item>
          <Button htmlType="submit">{t.subscribe}</Button>
        </Form>
        <Form
          layout="vertical"
          disabled={state !== 'on'}
          onFinish={(v: { topic: string; payload?: string }) => {
            client.current?.publish(v.topic, v.payload ?? '', failed)
            add(true, v.topic, v.payload ?? '')
          }}
        >
          <Form.Item name="topic" label={t.topic} rules={[{ required: true }]}><Input className="mono" /></Form.Item>
          <Form.Item name="payload" label={t.payload}><Input.TextArea className="mono" rows={3} /></Form.Item>
          <Button htmlType="submit">{t.publish}</Button>
        </Form>
        <Card size="small" title={t.history}>
          {said.map((s) => (
            <div key={s.n} style={{ overflowWrap: 'anywhere', padding: '4px 0' }}>
              <Tag color={s.mine ? 'blue' : 'purple'}>{s.mine ? '→' : '←'}</Tag>
              <Typography.Text type="secondary" className="mono">{s.at.toLocaleTimeString()} {s.topic}</Typography.Text>
              <div className="mono" style={{ whiteSpace: 'pre-wrap' }}>{s.text}</div>
            </div>
          ))}
        </Card>
      </Flex>
    </div>
  )
}
