import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Empty, Flex, Form, Select, Tag, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { Moment } from '../../parts/Moment'
import { PagedTable } from '../../parts/PagedTable'
import { problemText } from '../../parts/problem'
import { keyOf, say, useModel, type DataType, type Id } from './data'
import { deviceTexts } from './texts'
import { given, TypeInput } from './TypeInput'

const wait = '5s'

// Commands sets properties and invokes services, and lists how far each came.
export function Commands({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const working = may(useMe(), 'operator')
  const model = useModel(id.product)
  const [service, setService] = useState<string>()
  const cache = useQueryClient()
  const stale = () => Promise.all([cache.invalidateQueries({ queryKey: keyOf(id, 'commands') }), cache.invalidateQueries({ queryKey: keyOf(id, 'desired') })])
  const set = useMutation({
    mutationFn: (values: Record<string, unknown>) => must(api.POST('/api/v1/products/{product}/devices/{device}/properties', { params: { path: id }, body: { values, wait } })),
    onSettled: stale,
  })
  const wish = useMutation({
    mutationFn: (values: Record<string, unknown>) => must(api.POST('/api/v1/products/{product}/devices/{device}/desired', { params: { path: id }, body: { values } })),
    onSettled: stale,
  })
  const call = useMutation({
    mutationFn: (input: Record<string, unknown>) =>
      must(api.POST('/api/v1/products/{product}/devices/{device}/services/{service}', { params: { path: { ...id, service: service! } }, body: { input, wait } })),
    onSettled: stale,
  })
  const writable = (model.data?.properties ?? []).filter((p) => p.access !== 'read-only')
  const services = model.data?.services ?? []
  const chosen = services.find((s) => s.id === service)
  return (
    <Flex vertical gap={16}>
      {!working && <Alert type="info" showIcon title={t.operators} />}
      <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(340px, 100%), 1fr))', gap: 16 }}>
        <Card size="small" title={t.setProperties}>
          {writable.length === 0 ? <Empty description={t.noWritable} /> : (
            <Values needed params={writable} disabled={!working} busy={set.isPending} action={t.set} act={(v) => { wish.reset(); set.mutate(v) }} second={{ label: t.wish, act: (v) => { set.reset(); wish.mutate(v) } }} />
          )}
          <Outcome order={set.data} error={set.error ?? wish.error} />
          {wish.data && <Alert type="success" showIcon title={t.told[wish.data.told ?? ''] ?? wish.data.why ?? t.toldOff} style={{ marginTop: 12 }} />}
        </Card>
        <Card size="small" title={t.invoke}>
          {services.length === 0 ? <Empty description={t.noServices} /> : (
            <>
              <Select aria-label={t.invoke} placeholder={t.invoke} value={service ?? null} onChange={(s) => setService(s ?? undefined)} options={services.map((s) => ({ value: s.id, label: `${s.name} · ${s.id}` }))} style={{ width: '100%', marginBottom: 12 }} />
              {chosen && <Values key={chosen.id} params={chosen.input ?? []} disabled={!working} busy={call.isPending} action={t.call} act={(v) => call.mutate(v)} />}
            </>
          )}
          <Outcome order={call.data} error={call.error} />
        </Card>
      </div>
      <History id={id} />
    </Flex>
  )
}

type Field = { id: string; name: string; type: DataType }
type Act = (values: Record<string, unknown>) => void

// Values is a form with an input for each parameter; those left empty are not
// sent.
function Values({ params, disabled, busy, action, act, second, needed }: { params: Field[]; needed?: boolean; disabled: boolean; busy: boolean; action: string; act: Act; second?: { label: string; act: Act } }) {
  const [form] = Form.useForm<Record<string, unknown>>()
  const t = useTexts(deviceTexts)
  const [nothing, setNothing] = useState(false)
  const send = async (to: Act) => {
    try {
      await form.validateFields()
    } catch {
      return // the fields say why
    }
    const values = given(params, form.getFieldsValue())
    const empty = !!needed && Object.keys(values).length === 0
    setNothing(empty)
    if (!empty) to(values)
  }
  return (
    <Form form={form} layout="vertical" disabled={disabled} onFinish={() => void send(act)}>
      {params.map((p) => (
        <TypeInput key={p.id} param={p} />
      ))}
      {nothing && <Typography.Text type="danger" role="alert" style={{ display: 'block', marginBottom: 8 }}>{t.nothing}</Typography.Text>}
      <Flex gap={8} wrap>
        <Button type="primary" htmlType="submit" loading={busy}>{action}</Button>
        {second && <Button onClick={() => void send(second.act)}>{second.label}</Button>}
      </Flex>
    </Form>
  )
}

const colors: Record<string, string> = { acknowledged: 'success', failed: 'error', timeout: 'warning', queued: 'default', delivered: 'processing' }

function Outcome({ order, error }: { order: Schemas['Order'] | undefined; error: Error | null }) {
  const t = useTexts(deviceTexts)
  if (error) return <Alert type="error" showIcon title={problemText(error)} style={{ marginTop: 12 }} />
  if (!order) return null
  const text = [order.code, order.message, order.output ? say(order.output) : ''].filter(Boolean).join(' · ')
  return <Alert type={order.state === 'acknowledged' ? 'success' : order.state === 'failed' ? 'error' : 'info'} showIcon title={t.states[order.state] ?? order.state} description={text} style={{ marginTop: 12 }} />
}

function History({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const commands = useInfiniteQuery({
    queryKey: keyOf(id, 'commands'),
    initialPageParam: '',
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/products/{product}/devices/{device}/commands', { params: { path: id, query: { limit: 50, order: 'desc', ...(pageParam && { after: pageParam }) } } })),
    getNextPageParam: (last) => last.next || undefined,
  })
  return (
    <PagedTable
      found={commands}
      none={t.noCommands}
      rowKey="id"
      scroll={{ x: 640 }}
      columns={[
        { title: t.time, key: 'time', width: 190, render: (_, o) => <Moment time={o.sentAt} /> },
        { title: t.kind, key: 'kind', width: 120, render: (_, o) => o.service ?? t.kinds[o.kind] ?? o.kind },
        { title: t.state, key: 'state', width: 130, render: (_, o) => <Tag color={colors[o.state] ?? 'default'}>{t.states[o.state] ?? o.state}</Tag> },
        { title: t.input, key: 'input', render: (_, o) => <Typography.Text code>{say(o.input)}</Typography.Text> },
        { title: t.reply, key: 'reply', render: (_, o) => [o.code, o.message, o.output ? say(o.output) : ''].filter(Boolean).join(' · ') },
      ]}
    />
  )
}
