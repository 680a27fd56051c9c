import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Checkbox, Empty, Flex, Form, InputNumber, Segmented, Select, Skeleton, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../../api/client'
import { may, useMe } from '../../../app/session'
import { useTexts } from '../../../i18n/texts'
import { Editor } from '../../../parts/Editor'
import { problemText } from '../../../parts/problem'
import { textOf, usual, type Usual } from './scenario'
import { fleetTexts } from './texts'

type Way = 'form' | 'example' | 'yaml'

// Start sets a fleet to work: from a form, an example or a scenario in YAML. The
// form and the examples write the YAML, so that one can go on from there.
export function Start({ started }: { started: (id: string) => void }) {
  const t = useTexts(fleetTexts)
  const allowed = may(useMe(), 'operator')
  const cache = useQueryClient()
  const [way, setWay] = useState<Way>('form')
  const [text, setText] = useState('')
  const [example, setExample] = useState<Schemas['FleetScenario']>()
  const [forget, setForget] = useState(true)
  const [form] = Form.useForm<Usual>()
  const known = useQuery({ queryKey: ['bench', 'scenarios'], queryFn: () => must(api.GET('/api/v1/bench/fleets/scenarios')), staleTime: Infinity })
  const products = useQuery({
    queryKey: ['products', 'modelled'],
    queryFn: async () => (await must(api.GET('/api/v1/products', { params: { query: { limit: 1000 } } }))).items.filter((p) => p.dataModel === 'thing' && p.modelVersion > 0),
  })
  const most = known.data?.maxDevices ?? 0
  const longest = known.data?.maxSeconds ?? 0
  const cut: { devices?: number; seconds?: number } = way === 'example' && example && (example.devices > most || example.seconds > longest) ? { devices: Math.min(example.devices, most), seconds: Math.min(example.seconds, longest) } : {}
  const order = (u?: Usual) => ({ scenario: way === 'form' && u ? textOf(u) : text, ...cut, forget })
  const start = useMutation({
    mutationFn: (u?: Usual) => must(api.POST('/api/v1/bench/fleets', { body: order(u) })),
    onSuccess: (f) => {
      void cache.invalidateQueries({ queryKey: ['bench', 'fleets'] })
      started(f.id)
    },
  })
  const check = useMutation({ mutationFn: () => must(api.POST('/api/v1/bench/fleets/check', { body: order() })) })
  const reset = () => {
    start.reset()
    check.reset()
  }
  const turn = (to: Way) => {
    reset()
    if (to === 'yaml' && way === 'form' && form.getFieldValue('product')) setText(textOf(form.getFieldsValue(true) as Usual))
    if (to === 'example') take(example ?? known.data?.items[0])
    setWay(to)
  }
  const take = (s?: Schemas['FleetScenario']) => {
    reset()
    setExample(s)
    setText(s?.text ?? '')
  }
  if (known.isPending || products.isPending) return <Skeleton active />
  if (known.error) return <Alert type="error" showIcon title={problemText(known.error)} />
  if (most === 0) return <Alert type="info" showIcon title={t.off} />
  const refused = start.error ?? check.error
  const mark = Number(/scenario:(\d+):/.exec(refused?.message ?? '')?.[1]) || undefined // the line of the first mistake
  const none = way === 'form' && products.data?.length === 0
  return (
    <Flex vertical gap={16}>
      <Flex gap={12} wrap align="center">
        <Segmented<Way> value={way} onChange={turn} options={[{ value: 'form', label: t.form }, { value: 'example', label: t.example }, { value: 'yaml', label: t.yaml }]} />
        {way === 'example' && (
          <Select
            aria-label={t.example}
            value={example?.name ?? null}
            onChange={(name) => take(known.data.items.find((s) => s.name === name))}
            options={known.data.items.map((s) => ({ value: s.name, label: s.name }))}
            style={{ minWidth: 200 }}
          />
        )}
      </Flex>
      {none ? (
        <Empty description={t.noProduct} />
      ) : way === 'form' ? (
        <Form form={form} layout="vertical" initialValues={{ ...usual, count: Math.min(usual.count, most), product: products.data?.[0]?.key }} onFinish={(u) => start.mutate(u)} disabled={!allowed}>
          <Flex gap="0 16px" wrap>
            <Form.Item name="product" label={t.product} rules={[{ required: true }]} style={{ flex: '2 1 220px' }}>
              <Select showSearch={{ optionFilterProp: 'label' }} options={products.data?.map((p) => ({ value: p.key, label: `${p.name} (${p.key})` })) ?? []} />
            </Form.Item>
            <Form.Item name="count" label={t.devices} rules={[{ required: true }]}>
              <InputNumber min={1} max={most} style={{ width: 110 }} />
            </Form.Item>
            <Form.Item name="every" label={t.every} rules={[{ required: true }]}>
              <InputNumber min={1} max={3600} suffix={t.seconds} style={{ width: 120 }} />
            </Form.Item>
            <Form.Item name="minutes" label={t.duration} rules={[{ required: true }]}>
              <InputNumber min={1} max={longest / 60} suffix={t.minutes} style={{ width: 120 }} />
            </Form.Item>
            <Form.Item name="ramp" label={t.ramp} rules={[{ required: true }]}>
              <InputNumber min={0} max={60} suffix={t.seconds} style={{ width: 120 }} />
            </Form.Item>
            <Form.Item name="network" label={t.network} style={{ flex: '1 1 200px' }}>
              <Select options={Object.entries(t.networks).map(([value, label]) => ({ value, label }))} />
            </Form.Item>
            <Form.Item name="p99" label={t.p99} rules={[{ required: true }]}>
              <InputNumber min={1} max={60000} suffix={t.ms} style={{ width: 150 }} />
            </Form.Item>
          </Flex>
          <Flex vertical gap={4}>
            <Form.Item name="storm" valuePropName="checked" noStyle><Checkbox>{t.storm}</Checkbox></Form.Item>
            <Form.Item name="commands" valuePropName="checked" noStyle><Checkbox>{t.commands}</Checkbox></Form.Item>
          </Flex>
        </Form>
      ) : (
        <Flex vertical gap={4}>
          <Editor label={t.scenario} value={text} mark={mark} {...(way === 'yaml' ? { change: (s: string) => { setText(s); reset() } } : {})} />
          <Typography.Text type="secondary">{cut.devices !== undefined ? t.scaled(cut.devices, Math.floor((cut.seconds ?? 0) / 60)) : t.scenarioHelp}</Typography.Text>
        </Flex>
      )}
      {!none && <Checkbox checked={forget} disabled={!allowed} onChange={(e) => setForget(e.target.checked)}>{t.forget}</Checkbox>}
      {refused && <Alert type="error" showIcon title={<span style={{ whiteSpace: 'pre-line' }}>{problemText(refused)}</span>} />}
      {check.data && <Alert type="success" showIcon title={t.good(check.data.devices, check.data.seconds)} />}
      {!allowed && <Alert type="info" showIcon title={t.operators} />}
      <Flex gap={8} align="center" wrap>
        <Button type="primary" disabled={!allowed || none} loading={start.isPending} onClick={() => (way === 'form' ? form.submit() : start.mutate(undefined))}>{t.start}</Button>
        {way !== 'form' && <Button loading={check.isPending} onClick={() => check.mutate()}>{t.check}</Button>}
        <Typography.Text type="secondary">{t.bounds(most, Math.floor(longest / 60))}</Typography.Text>
      </Flex>
    </Flex>
  )
}
