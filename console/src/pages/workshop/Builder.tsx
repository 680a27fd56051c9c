import { useMutation } from '@tanstack/react-query'
import { Button, Empty, Flex, Form, Input, InputNumber, Select, Switch, Typography } from 'antd'
import { api, must, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { Annotated } from '../../parts/Annotated'
import { Refused } from '../../parts/Refused'
import { explainTexts } from '../../parts/sharedTexts'
import { filled } from './filled'
import { workshopTexts } from './texts'

type Fields = Omit<Schemas['BuildInputBody'], 'filters' | '$schema'> & { filterLines?: string }

const types = ['CONNECT', 'PUBLISH', 'SUBSCRIBE', 'UNSUBSCRIBE', 'PUBACK', 'PINGREQ', 'DISCONNECT'] as const

// Builder makes the bytes of a packet from its fields.
export function Builder() {
  const t = useTexts(workshopTexts)
  const e = useTexts(explainTexts)
  const [form] = Form.useForm<Fields>()
  const type = Form.useWatch('type', form) ?? 'CONNECT'
  const build = useMutation({
    mutationFn: ({ filterLines, ...f }: Fields) =>
      must(api.POST('/api/v1/packets', { body: { ...filled(f), ...(filterLines && { filters: filterLines.split('\n').map((s) => s.trim()).filter(Boolean) }) } })),
  })
  const of = (...named: string[]) => named.includes(type)
  return (
    <div className="halves">
      <Form form={form} layout="vertical" initialValues={{ type: 'CONNECT', version: '3.1.1', keepAlive: 60, qos: 0, id: 1 }} onValuesChange={build.reset} onFinish={(f) => build.mutate(f)}>
        <Form.Item name="type" label={t.type}><Select options={types.map((value) => ({ value, label: value }))} /></Form.Item>
        <Form.Item name="version" label={t.version}><Select options={['3.1.1', '5.0', '3.1'].map((value) => ({ value, label: value }))} /></Form.Item>
        {of('CONNECT') && <Form.Item name="clientId" label={e.clientId}><Input /></Form.Item>}
        {of('CONNECT') && <Form.Item name="username" label={e.username}><Input autoComplete="off" /></Form.Item>}
        {of('CONNECT') && <Form.Item name="password" label={e.password}><Input.Password autoComplete="off" /></Form.Item>}
        {of('CONNECT') && <Form.Item name="keepAlive" label={t.keepAlive}><InputNumber min={0} max={65535} /></Form.Item>}
        {of('PUBLISH') && <Form.Item name="topic" label={t.topic} rules={[{ required: true }]}><Input className="mono" /></Form.Item>}
        {of('PUBLISH') && <Form.Item name="payload" label={t.payload}><Input.TextArea className="mono" rows={3} /></Form.Item>}
        {of('SUBSCRIBE', 'UNSUBSCRIBE') && <Form.Item name="filterLines" label={t.filters} rules={[{ required: true }]}><Input.TextArea className="mono" rows={3} /></Form.Item>}
        {of('PUBLISH', 'SUBSCRIBE') && <Form.Item name="qos" label="QoS"><Select options={[0, 1, 2].map((value) => ({ value, label: value }))} /></Form.Item>}
        {of('PUBLISH') && <Form.Item name="retain" label={t.retain} valuePropName="checked"><Switch /></Form.Item>}
        {of('PUBLISH', 'SUBSCRIBE', 'UNSUBSCRIBE', 'PUBACK') && <Form.Item name="id" label={t.id}><InputNumber min={1} max={65535} /></Form.Item>}
        <Button type="primary" htmlType="submit" loading={build.isPending}>{t.buildIt}</Button>
      </Form>
      <Flex vertical gap={16}>
        <Refused error={build.error} />
        {build.isIdle && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t.buildHint} />}
        {build.data && <Typography.Text className="mono" code copyable style={{ overflowWrap: 'anywhere', maxHeight: 200, overflow: 'auto' }}>{build.data.hex}</Typography.Text>}
        {build.data && <Annotated key={build.submittedAt} hex={build.data.hex} explanation={build.data.explanation} />}
      </Flex>
    </div>
  )
}
