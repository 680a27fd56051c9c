import { DownloadOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Col, Flex, Progress, Row, Statistic, Table, Tag, Typography } from 'antd'
import { useEffect, useMemo, useState } from 'react'
import { api, must, type Schemas, visitorsLanguage } from '../../../api/client'
import { useStream } from '../../../api/live'
import { may, useMe } from '../../../app/session'
import { useTexts } from '../../../i18n/texts'
import { Lines } from '../../../parts/Lines'
import { Live } from '../../../parts/Live'
import { fleetTexts } from './texts'

type Fleet = Schemas['BenchFleet']
type Sample = Schemas['FleetSample']

const colours = { passed: 'success', failed: 'error', running: 'processing' } as const

// State is how a fleet stands, as a tag.
export function State({ of: f }: { of: Fleet }) {
  const t = useTexts(fleetTexts)
  return <Tag color={colours[f.state]}>{t[f.state]}</Tag>
}

// AtWork shows one fleet as it runs, and its result when it has ended. lost says
// that the server knows it no more.
export function AtWork({ fleet, lost, removed }: { fleet: Fleet; lost: boolean; removed: () => void }) {
  const t = useTexts(fleetTexts)
  const allowed = may(useMe(), 'operator')
  const cache = useQueryClient()
  const { message } = App.useApp()
  const [samples, setSamples] = useState<Sample[]>([])
  const [ended, setEnded] = useState<Fleet | null>(null)
  const path = { fleet: fleet.id }
  useEffect(() => {
    setSamples([])
    setEnded(null)
  }, [fleet.id])
  const stale = () => cache.invalidateQueries({ queryKey: ['bench', 'fleets'] })
  const over = lost || ended !== null
  const live = useStream(over ? null : `/api/v1/bench/fleets/${fleet.id}/stream?lang=${visitorsLanguage()}`, ['samples', 'ended'], (event, data) => {
    if (event === 'ended') {
      setEnded(data as Fleet)
      void stale()
      return
    }
    const fresh = data as Sample[]
    // After an interruption all come again.
    setSamples((old) => [...old.filter((s) => s.at < fresh[0]!.at), ...fresh])
  })
  const failed = { onError: (e: Error) => void message.error(e.message), onSettled: stale }
  const stop = useMutation({ mutationFn: () => must(api.POST('/api/v1/bench/fleets/{fleet}/stop', { params: { path } })), ...failed })
  const remove = useMutation({ mutationFn: () => api.DELETE('/api/v1/bench/fleets/{fleet}', { params: { path } }), onSuccess: removed, ...failed })
  const f = ended ?? fleet
  const last = samples.at(-1)
  const running = !over && fleet.state === 'running'
  const result = (format: 'json' | 'junit') => `/api/v1/bench/fleets/${encodeURIComponent(f.id)}/result?format=${format}`
  return (
    <Card
      title={<Flex gap={12} align="center" wrap><span>{f.name}</span>{!lost && <State of={f} />}{running && <Live on={live} />}</Flex>}
      extra={
        running ? (
          <Button danger size="small" disabled={!allowed} loading={stop.isPending} onClick={() => stop.mutate()}>{t.stop}</Button>
        ) : (
          <Button danger size="small" disabled={!allowed} loading={remove.isPending} onClick={() => (lost ? removed() : remove.mutate())}>{t.forgetFleet}</Button>
        )
      }
    >
      <Flex vertical gap={16}>
        {running && <Progress percent={Math.min(100, Math.floor((100 * (last?.at ?? 0)) / Math.max(1, f.seconds)))} size="small" aria-label={t.running} />}
        {lost && <Alert type="warning" showIcon title={t.gone} />}
        {f.problem && <Alert type="error" showIcon title={f.problem} />}
        <Figures f={f} last={last} result={ended?.result} />
        <Charts started={Date.parse(fleet.started)} samples={samples} />
        {ended?.result && (
          <>
            <Outcome r={ended.result} />
            <Flex gap={8} wrap>
              <Button icon={<DownloadOutlined />} href={result('json')} download>{t.json}</Button>
              <Button icon={<DownloadOutlined />} href={result('junit')} download>{t.junit}</Button>
            </Flex>
          </>
        )}
      </Flex>
    </Card>
  )
}

function Figures({ f, last, result: r }: { f: Fleet; last: Sample | undefined; result: Schemas['FleetOutcome'] | undefined }) {
  const t = useTexts(fleetTexts)
  const shown: [string, string | number][] = [
    [t.connected, `${(r?.connected ?? last?.connected ?? 0).toLocaleString()} ${t.of} ${f.devices.toLocaleString()}`],
    [t.posts, r?.posts ?? last?.posts ?? 0],
    [t.answered, r?.answered ?? last?.answered ?? 0],
    [t.refused, r?.refused ?? last?.refused ?? 0],
    [t.broken, r ? r.broken + r.cut : (last?.broken ?? 0)],
  ]
  if (r) shown.push([t.returns, r.returns], [t.lost, r.lost])
  if (r && r.commandsOrdered > 0) shown.push([t.commandsDone, `${r.commandsDone} ${t.of} ${r.commandsOrdered}`])
  return (
    <Flex gap="12px 32px" wrap>
      {shown.map(([title, value]) => <Statistic key={title} title={title} value={value} styles={{ content: { fontSize: 20 } }} />)}
    </Flex>
  )
}

const ms = (s: number) => Math.round(s * 1e5) / 100

// Charts show how it goes: what counts up is shown a second.
function Charts({ started, samples }: { started: number; samples: Sample[] }) {
  const t = useTexts(fleetTexts)
  const drawn = useMemo(() => {
    const at = (s: Sample) => started + s.at * 1000
    const now = (of: (s: Sample) => number): [number, number][] => samples.map((s) => [at(s), of(s)])
    const rate = (of: (s: Sample) => number): [number, number][] =>
      samples.slice(1).map((s, i) => [at(s), Math.max(0, Math.round((10 * (of(s) - of(samples[i]!))) / Math.max(0.001, s.at - samples[i]!.at)) / 10)])
    return [
      { title: t.connected, lines: [{ id: 'connected', name: t.connected, unit: '', points: now((s) => s.connected) }] },
      { title: t.rates, lines: [{ id: 'posts', name: t.posts, unit: t.perSecond, points: rate((s) => s.posts) }, { id: 'answered', name: t.answered, unit: t.perSecond, points: rate((s) => s.answered) }] },
      { title: t.delay, lines: [{ id: 'p50', name: 'p50', unit: t.ms, points: now((s) => ms(s.p50)) }, { id: 'p99', name: 'p99', unit: t.ms, points: now((s) => ms(s.p99)) }] },
      { title: t.troubles, lines: [{ id: 'refused', name: t.refused, unit: t.perSecond, points: rate((s) => s.refused), color: '#cf1322' }, { id: 'broken', name: t.broken, unit: t.perSecond, points: rate((s) => s.broken), color: '#d48806' }] },
    ]
  }, [samples, started, t])
  return (
    <Row gutter={[24, 16]}>
      {drawn.map((c) => (
        <Col key={c.title} xs={24} lg={12}>
          <Typography.Text strong>{c.title}</Typography.Text>
          <Lines lines={c.lines} height={200} label={c.title} />
        </Col>
      ))}
    </Row>
  )
}

// Outcome is what was expected and what went wrong.
function Outcome({ r }: { r: Schemas['FleetOutcome'] }) {
  const t = useTexts(fleetTexts)
  return (
    <>
      {r.interrupted && <Alert type="warning" showIcon title={t.interrupted} />}
      {r.lateSeconds > 0.1 && <Alert type="warning" showIcon title={t.late(r.lateSeconds.toFixed(1))} />}
      <Table<Schemas['Check']>
        rowKey="name"
        size="small"
        title={() => t.checks}
        dataSource={r.checks ?? []}
        pagination={false}
        locale={{ emptyText: t.noChecks }}
        columns={[
          { title: t.check1, key: 'name', render: (_, c) => <Tag color={c.ok ? 'success' : 'error'}>{c.ok ? '✓' : '✗'} {t.checkNames[c.name] ?? c.name}</Tag> },
          { title: t.want, key: 'want', render: (_, c) => t.bound(c.want) },
          { title: t.got, key: 'got', render: (_, c) => t.bound(c.got) },
        ]}
      />
      {(r.causes ?? []).length > 0 && (
        <Table<Schemas['Cause']>
          rowKey={(c) => `${c.group} ${c.what} ${c.why}`}
          size="small"
          title={() => t.causes}
          dataSource={r.causes ?? []}
          pagination={{ hideOnSinglePage: true, pageSize: 20 }}
          scroll={{ x: 'max-content' }}
          columns={[
            { title: t.times, dataIndex: 'count', align: 'end', width: 80 },
            { title: t.what, dataIndex: 'what', width: 120 },
            { title: t.why, key: 'why', render: (_, c) => <span style={{ display: 'inline-block', maxWidth: 480, whiteSpace: 'normal' }}>{[c.why, c.advice].filter(Boolean).join(': ')}</span> },
            { title: t.instance, dataIndex: 'device' },
          ]}
        />
      )}
    </>
  )
}
