import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Badge, Button, Card, Col, Empty, Flex, Input, Row, Select, Skeleton, Slider, Switch, Tag, Typography } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { Link } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Refused } from '../../parts/Refused'
import { useSpeakers } from './subject'
import { benchTexts } from './texts'

const devicesKey = ['bench', 'devices']

// Simulated are devices that the server is, with a slider for each sensor.
export function Simulated() {
  const t = useTexts(benchTexts)
  const allowed = may(useMe(), 'operator')
  const devices = useQuery({ queryKey: devicesKey, queryFn: async () => (await must(api.GET('/api/v1/bench/devices'))).items ?? [], refetchInterval: 5000 })
  return (
    <Flex vertical gap={16}>
      <Typography.Text type="secondary">{t.simulateHelp}</Typography.Text>
      {!allowed && <Alert type="info" showIcon title={t.operators} />}
      <Starter allowed={allowed} />
      {devices.error && <Alert type="error" showIcon title={devices.error.message} />}
      {devices.isPending && <Skeleton active />}
      {devices.data?.length === 0 && <Card><Empty description={t.noneSimulated} /></Card>}
      {devices.data?.map((d) => <AtWork key={`${d.product}/${d.device}`} product={d.product} device={d.device} allowed={allowed} />)}
    </Flex>
  )
}

function Starter({ allowed }: { allowed: boolean }) {
  const t = useTexts(benchTexts)
  const cache = useQueryClient()
  const { message } = App.useApp()
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState<string | null>(null)
  const speakers = useSpeakers('', text)
  const start = useMutation({
    mutationFn: () => {
      const [product, device] = chosen!.split('/')
      return must(api.POST('/api/v1/bench/devices', { body: { product: product!, device: device! } }))
    },
    onSuccess: () => cache.invalidateQueries({ queryKey: devicesKey }),
    onError: (e) => void message.error(e.message),
  })
  return (
    <Flex gap={8} wrap>
      <Select
        aria-label={t.chooseDevice} showSearch={{ filterOption: false, onSearch: setText }} value={chosen} onChange={setChosen} style={{ width: 300, maxWidth: '100%' }} placeholder={t.chooseDevice} loading={speakers.isFetching}
        options={(speakers.data ?? []).map((d) => ({ value: `${d.product}/${d.name}`, label: <><Badge status={d.state === 'ONLINE' ? 'success' : 'default'} /> {d.name} · {d.product}</> }))}
      />
      <Button type="primary" disabled={!allowed || chosen === null} loading={start.isPending} onClick={() => start.mutate()}>{t.simulate}</Button>
    </Flex>
  )
}

function AtWork({ product, device, allowed }: { product: string; device: string; allowed: boolean }) {
  const t = useTexts(benchTexts)
  const cache = useQueryClient()
  const { message } = App.useApp()
  const path = { product, device }
  const key = [...devicesKey, product, device]
  const { data, error } = useQuery({ queryKey: key, queryFn: () => must(api.GET('/api/v1/bench/devices/{product}/{device}', { params: { path } })), refetchInterval: 1000 })
  const failed = { onError: (e: Error) => void message.error(e.message) }
  const move = useMutation({
    mutationFn: (m: { id: string; value: unknown }) => must(api.PUT('/api/v1/bench/devices/{product}/{device}/values/{property}', { params: { path: { ...path, property: m.id } }, body: { value: m.value } })),
    onSettled: () => cache.invalidateQueries({ queryKey: key }), ...failed,
  })
  const release = useMutation({
    mutationFn: (id: string) => must(api.DELETE('/api/v1/bench/devices/{product}/{device}/values/{property}', { params: { path: { ...path, property: id } } })),
    onSettled: () => cache.invalidateQueries({ queryKey: key }), ...failed,
  })
  const stop = useMutation({
    mutationFn: () => must(api.DELETE('/api/v1/bench/devices/{product}/{device}', { params: { path } })),
    onSettled: () => cache.invalidateQueries({ queryKey: devicesKey }), ...failed,
  })
  if (!data) return <Card title={device}>{error ? <Refused error={error} /> : <Skeleton active />}</Card>
  const part = (v: Schemas['BenchValue']) => (
    <One key={v.id} of={v} disabled={!allowed} move={(value) => move.mutate({ id: v.id, value })} release={() => release.mutate(v.id)} />
  )
  const sensors = (data.values ?? []).filter((v) => v.sensor)
  const actuators = (data.values ?? []).filter((v) => !v.sensor)
  return (
    <Card
      title={<Flex gap={12} align="center" wrap><span>{device}</span><Typography.Text type="secondary" style={{ fontWeight: 'normal' }}>{product}</Typography.Text><Badge status={data.online ? 'success' : 'error'} text={data.online ? t.online : t.offline} /></Flex>}
      extra={<Flex gap={8} align="center"><Link to={`/devices/${encodeURIComponent(product)}/${encodeURIComponent(device)}`}>{t.toDevice}</Link><Button size="small" danger disabled={!allowed} loading={stop.isPending} onClick={() => stop.mutate()}>{t.stop}</Button></Flex>}
    >
      <Row gutter={[32, 24]}>
        <Col xs={24} lg={10}>
          <Typography.Title level={5} style={{ marginTop: 0 }}>{t.sensors}</Typography.Title>
          {sensors.length ? sensors.map(part) : <Typography.Text type="secondary">{t.noSensors}</Typography.Text>}
        </Col>
        <Col xs={24} lg={6}>
          <Typography.Title level={5} style={{ marginTop: 0 }}>{t.actuators}</Typography.Title>
          {actuators.length ? actuators.map(part) : <Typography.Text type="secondary">{t.noActuators}</Typography.Text>}
        </Col>
        <Col xs={24} lg={8}>
          <Typography.Title level={5} style={{ marginTop: 0 }}>{t.news}</Typography.Title>
          <News of={data.news ?? []} />
        </Col>
      </Row>
    </Card>
  )
}

function One({ of: v, disabled, move, release }: { of: Schemas['BenchValue']; disabled: boolean; move: (value: unknown) => void; release: () => void }) {
  const t = useTexts(benchTexts)
  const now = v.value as unknown
  const [drag, setDrag] = useState<number | null>(null)
  const held = useRef(false) // the sensor moves on meanwhile, the handle does not
  useEffect(() => { if (!held.current) setDrag(null) }, [now])
  const label = v.name || v.id
  const number = typeof now === 'number' ? now : 0
  const whole = v.kind.startsWith('int') || v.kind === 'enum'
  const [low, high] = [v.min ?? 0, v.max ?? Math.max((v.min ?? 0) + 1, 100)]
  let control
  if (v.kind === 'bool') {
    control = <Switch checked={now === true || now === 1} disabled={disabled} onChange={(on) => move(on)} aria-label={label} />
  } else if (v.kind === 'enum') {
    control = <Select value={typeof now === 'number' ? now : null} disabled={disabled} onChange={move} aria-label={label} style={{ width: '100%' }} options={(v.labels ?? []).map((l) => ({ value: l.value, label: l.text || String(l.value) }))} />
  } else if (typeof now === 'string' || v.kind === 'text') {
    control = <Input key={told(now)} defaultValue={String(now ?? '')} disabled={disabled} aria-label={label} onPressEnter={(e) => move(e.currentTarget.value)} onBlur={(e) => { if (e.target.value !== now) move(e.target.value) }} />
  } else if (/int|float|double/.test(v.kind)) {
    control = <Slider min={low} max={high} step={whole ? 1 : (v.step ?? 0.1)} value={drag ?? number} disabled={disabled} ariaLabelForHandle={label}
      onChange={(x) => {
        held.current = true
        setDrag(x)
      }}
      onChangeComplete={(x) => {
        held.current = false
        move(x)
      }}
    />
  } else control = <span className="mono" style={{ overflowWrap: 'anywhere' }}>{told(now)}</span>
  const shown = !/int|float|double/.test(v.kind) || typeof now === 'string' ? '' : `${drag ?? (now === undefined ? '–' : number)}${v.unit ? ` ${v.unit}` : ''}`
  return (
    <div style={{ marginBottom: 16 }}>
      <Flex justify="space-between" align="center" gap={8}>
        <span style={{ minWidth: 0, overflowWrap: 'anywhere' }}>{label} {v.fixed && <Tag color="gold">{t.byHand}</Tag>}</span>
        <Flex gap={8} align="center">
          {v.fixed && <Button size="small" type="link" disabled={disabled} onClick={release}>{t.byItself}</Button>}
          <strong style={{ fontVariantNumeric: 'tabular-nums' }}>{shown}</strong>
        </Flex>
      </Flex>
      {control}
    </div>
  )
}

// told is a value in one line.
const told = (v: unknown) => (v === undefined ? '–' : typeof v === 'object' ? JSON.stringify(v) : String(v))

function News({ of }: { of: Schemas['BenchNews'][] }) {
  const t = useTexts(benchTexts)
  const { language } = useLanguage()
  return (
    <div style={{ maxHeight: 240, overflowY: 'auto' }} tabIndex={0} role="log" aria-label={t.news}>
      {of.toReversed().map((n, i) => (
        <div key={`${n.time} ${i}`} style={{ fontSize: 12, padding: '2px 0', overflowWrap: 'anywhere' }}>
          <Typography.Text type="secondary" style={{ fontVariantNumeric: 'tabular-nums' }}>{new Date(n.time).toLocaleTimeString(language === 'zh' ? 'zh-CN' : 'en-GB')}</Typography.Text>{' '}
          <Typography.Text type={n.error ? 'danger' : n.kind === 'set' || n.kind === 'invoked' ? 'success' : undefined!}>{t.kinds[n.kind] ?? n.kind}</Typography.Text>{' '}
          <span className="mono">{n.error ?? (n.values ? Object.entries(n.values).map(([k, v]) => `${k}=${told(v)}`).join(' ') : '')}</span>
        </div>
      ))}
    </div>
  )
}
