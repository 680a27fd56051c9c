import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Card, Empty, Flex, Form, Input, Select, Skeleton, Switch, Tag, Typography } from 'antd'
import { useEffect } from 'react'
import { api, must } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Diagnosis } from '../../parts/Diagnosis'
import { workshopTexts } from './texts'
import type { Login, Said, Trouble, useClient } from './useClient'

const levels = [0, 1, 2].map((value) => ({ value, label: value }))

// Talk is what the client says and hears: subscriptions, publishing, history.
export function Talk({ client, device }: { client: ReturnType<typeof useClient>; device: { product: string; device: string } | undefined }) {
  const t = useTexts(workshopTexts)
  const [listen] = Form.useForm<{ filter: string; qos: 0 | 1 | 2 }>()
  const [say] = Form.useForm<{ topic: string; payload?: string; qos: 0 | 1 | 2; retain: boolean }>()
  const own = useQuery({
    queryKey: ['products', device?.product ?? ''],
    queryFn: () => must(api.GET('/api/v1/products/{product}', { params: { path: { product: device!.product } } })),
    enabled: device !== undefined,
  })
  const dialect = own.data?.dialect
  useEffect(() => {
    if (!device || (dialect !== 'aliyun' && dialect !== 'onenet')) return
    const name = `${device.product}/${device.device}/thing`
    listen.setFieldsValue({ filter: dialect === 'aliyun' ? `/sys/${name}/#` : `$sys/${name}/#` })
    say.setFieldsValue(dialect === 'aliyun'
      ? { topic: `/sys/${name}/event/property/post`, payload: '{"id":"1","version":"1.0","params":{},"method":"thing.event.property.post"}' }
      : { topic: `$sys/${name}/property/post`, payload: '{"id":"1","version":"1.0","params":{}}' })
  }, [device, dialect, listen, say])
  const off = client.state !== 'on'
  return (
    <Flex vertical gap={16}>
      {client.trouble && <Why of={client.trouble} />}
      <Card size="small" title={t.subscribe}>
        <Form form={listen} layout="vertical" disabled={off} initialValues={{ filter: '#', qos: 0 }} onFinish={(v) => client.subscribe(v.filter, v.qos)}>
          <Flex gap="0 8px" wrap align="end">
            <Form.Item name="filter" label={t.filter} rules={[{ required: true }]} style={{ flex: '1 1 220px', marginBottom: 12 }}><Input className="mono" /></Form.Item>
            <Form.Item name="qos" label="QoS" style={{ marginBottom: 12 }}><Select aria-label={`${t.subscribe} QoS`} options={levels} style={{ width: 64 }} /></Form.Item>
            <Button htmlType="submit" style={{ marginBottom: 12 }}>{t.subscribe}</Button>
          </Flex>
        </Form>
        <Flex gap={8} wrap>
          {client.filters.map((f) => (
            <Tag key={f} closable={{ 'aria-label': t.unsubscribe(f) }} onClose={(e) => { e.preventDefault(); client.unsubscribe(f) }} className="mono" style={{ whiteSpace: 'normal', overflowWrap: 'anywhere' }}>{f}</Tag>
          ))}
        </Flex>
      </Card>
      <Card size="small" title={t.publish}>
        <Form form={say} layout="vertical" disabled={off} initialValues={{ qos: 0, retain: false }} onFinish={(v) => client.publish(v.topic, v.payload ?? '', { qos: v.qos, retain: v.retain })}>
          <Form.Item name="topic" label={t.topic} validateFirst rules={[{ required: true }, { pattern: /^[^#+]*$/, message: t.noWildcards }]} style={{ marginBottom: 12 }}><Input className="mono" /></Form.Item>
          <Form.Item name="payload" label={t.payload} style={{ marginBottom: 12 }}><Input.TextArea className="mono" autoSize={{ minRows: 3, maxRows: 12 }} /></Form.Item>
          <Flex gap={16} wrap align="center">
            <Form.Item name="qos" label="QoS" layout="horizontal" style={{ marginBottom: 0 }}><Select aria-label={`${t.publish} QoS`} options={levels} style={{ width: 64 }} /></Form.Item>
            <Form.Item name="retain" label={t.retain} layout="horizontal" valuePropName="checked" style={{ marginBottom: 0 }}><Switch aria-label={t.retain} /></Form.Item>
            <Button htmlType="submit">{t.publish}</Button>
          </Flex>
        </Form>
      </Card>
      <Card size="small" title={t.history} extra={<Button size="small" type="text" disabled={client.said.length === 0} onClick={client.clear}>{t.clear}</Button>}>
        {client.said.length === 0 ? <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t.noHistory} /> : (
          <div style={{ maxHeight: 480, overflowY: 'auto' }} tabIndex={0} role="log" aria-label={t.history}>
            {client.said.map((s) => <One key={s.n} of={s} />)}
          </div>
        )}
      </Card>
    </Flex>
  )
}

function One({ of: s }: { of: Said }) {
  const t = useTexts(workshopTexts)
  const { language } = useLanguage()
  const time = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23' }).format(s.at)
  return (
    <div style={{ overflowWrap: 'anywhere', padding: '4px 0' }}>
      <Tag color={s.mine ? 'blue' : 'purple'}>{s.mine ? '→' : '←'}</Tag>
      <Typography.Text type="secondary" className="mono">{time} {s.topic}</Typography.Text>{' '}
      <Typography.Text type="secondary" style={{ fontSize: 12 }}>QoS {s.qos}{s.retain && ` · ${t.retain}`}</Typography.Text>
      <div className="mono" style={{ whiteSpace: 'pre-wrap' }}>{s.text}</div>
    </div>
  )
}

// Why says what went wrong. What a login is refused for, the doctor knows, where
// the login is for this Matou.
function Why({ of: w }: { of: Trouble }) {
  const t = useTexts(workshopTexts)
  switch (w.kind) {
    case 'refused': return <Refusal code={w.code} login={w.login} />
    case 'filter': return <Alert type="error" showIcon title={t.filterRefused(w.filter)} />
    case 'said': return <Alert type="error" showIcon title={t.clientSays} description={w.text} />
    default: return <Alert type="error" showIcon title={t[w.kind]} />
  }
}

function Refusal({ code, login }: { code: number; login: Login }) {
  const t = useTexts(workshopTexts)
  const allowed = may(useMe(), 'operator')
  const { clientId, username, password } = login
  const found = useQuery({
    queryKey: ['doctor', clientId, username, password],
    queryFn: () => must(api.POST('/api/v1/doctor', { body: { ...(clientId && { clientId }), ...(username && { username }), ...(password && { password }) } })),
    enabled: allowed,
    gcTime: 0,
  })
  return (
    <Flex vertical gap={12}>
      <Alert type="error" showIcon title={t.refusedCode(code)} />
      {allowed && found.isPending && <Skeleton active paragraph={{ rows: 2 }} />}
      {found.data?.diagnosis && <Diagnosis of={found.data.diagnosis} />}
    </Flex>
  )
}
