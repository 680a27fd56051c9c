import { useQueries } from '@tanstack/react-query'
import { Empty, Flex, Segmented, Select, Skeleton } from 'antd'
import { useRef, useState } from 'react'
import { api, must } from '../../api/client'
import { serverNow } from '../../api/clock'
import { useTexts } from '../../i18n/texts'
import { Lines } from '../../parts/Lines'
import { Trouble } from '../../parts/Trouble'
import { keyOf, useLatest, useModel, type Id } from './data'
import { Export } from './Export'
import { MomentInput, UpsideDown } from './MomentInput'
import { deviceTexts } from './texts'

const minute = 60_000
const ranges = { '15m': 15, '1h': 60, '6h': 360, '24h': 1440, '7d': 10080, '30d': 43200 } as const
type Range = keyof typeof ranges | 'own'

// A Span is a time from which, and perhaps to which, something is shown; by the
// clock of the server.
type Span = { from: number; to?: number }

const drawable = ['int32', 'int64', 'float', 'double', 'bool', 'enum']
const points = 600

type Point = [time: string, value: number]

// Curves compare properties over time. The wheel zooms, and what is looked at
// closely is read again in finer steps.
export function Curves({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const model = useModel(id.product)
  const latest = useLatest(id)
  const [range, setRange] = useState<Range>('1h')
  const [own, setOwn] = useState<{ from: number; to: number }>(() => ({ from: serverNow() - 60 * minute, to: serverNow() }))
  const [close, setClose] = useState<{ from: number; to: number }>()
  const [picked, pick] = useState<string[] | null>(null)
  const known = (latest.data?.items ?? []).filter((l) => {
    const type = model.data?.properties?.find((p) => p.id === l.property)?.type
    return type ? drawable.includes(type.kind) : typeof (l.value as unknown) === 'number'
  })
  const chosen = picked ?? known.filter((l) => l.time).slice(0, 2).map((l) => l.property)
  const upsideDown = range === 'own' && own.from >= own.to
  const span = (): Span => (range === 'own' ? own : { from: serverNow() - ranges[range] * minute })
  const name = range === 'own' ? `${own.from}-${own.to}` : range
  const coarse = useCourses(id, upsideDown ? [] : chosen, name, span)
  const fine = useCourses(id, close ? chosen : [], close ? `${close.from}-${close.to}` : '', () => close!)
  const reading = coarse.some((c) => c.isPending)
  const lines = chosen.map((property, i) => {
    const l = known.find((k) => k.property === property)
    const [whole, part] = [coarse[i]?.data?.points ?? [], fine[i]?.data?.points]
    return { id: property, name: l?.name || property, unit: l?.unit ?? '', points: close && part ? within(whole, part, close) : whole }
  })
  const shown = useRef(lines)
  if (!reading) shown.current = lines // until others have come, what was there stays
  const stored = coarse.reduce((n, c) => n + (c.data?.stored ?? 0), 0)
  const asked = coarse[0]?.data?.span
  const trouble = latest.error ?? coarse.find((c) => c.error)?.error ?? null
  const choose = (r: Range) => {
    if (r === 'own' && range !== 'own') setOwn({ from: serverNow() - ranges[range] * minute, to: serverNow() })
    setClose(undefined)
    setRange(r)
  }
  const empty = shown.current.every((l) => l.points.length === 0)
  const nothing = known.length === 0 ? t.noDrawable : chosen.length === 0 ? t.chooseSome : t.noData
  return (
    <Flex vertical gap={12}>
      <Flex gap={8} wrap align="center">
        <div style={{ maxWidth: '100%', overflowX: 'auto' }}>
          <Segmented<Range> aria-label={t.range} options={[...(Object.keys(ranges) as Range[]), 'own' as const].map((value) => ({ value, label: t.ranges[value] }))} value={range} onChange={choose} />
        </div>
        <Select
          mode="multiple"
          aria-label={t.properties}
          placeholder={t.properties}
          value={chosen}
          onChange={pick}
          options={known.map((l) => ({ value: l.property, label: l.name || l.property }))}
          maxTagTextLength={24}
          style={{ flex: '1 1 240px', maxWidth: 'min(600px, 100%)' }}
        />
      </Flex>
      {range === 'own' && (
        <Flex gap={8} wrap align="center">
          <MomentInput label={t.from} value={own.from} change={(from) => { setClose(undefined); setOwn({ ...own, from }) }} wrong={upsideDown} />
          <MomentInput label={t.to} value={own.to} change={(to) => { setClose(undefined); setOwn({ ...own, to }) }} wrong={upsideDown} />
          <UpsideDown when={upsideDown} />
        </Flex>
      )}
      <Trouble error={trouble} again={() => Promise.all([latest.refetch(), ...coarse.map((c) => c.refetch())])} />
      {(reading || latest.isPending) && empty ? <Skeleton active paragraph={{ rows: 8 }} /> : empty ? <Empty description={nothing} /> : <Lines key={name} lines={shown.current} zoom onZoom={setClose} />}
      <Export id={id} properties={chosen} span={asked} stored={stored} />
    </Flex>
  )
}

// useCourses reads the courses of properties over a span, some hundred points
// each; name is the span's, whose times move on.
function useCourses(id: Id, properties: string[], name: string, span: () => Span) {
  return useQueries({
    queries: properties.map((property) => ({
      queryKey: keyOf(id, 'history', property, name),
      gcTime: minute,
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const now = span()
        const query = { from: new Date(now.from).toISOString(), ...(now.to && { to: new Date(now.to).toISOString() }), points }
        const c = await must(api.GET('/api/v1/products/{product}/devices/{device}/properties/{property}/history', { params: { path: { ...id, property }, query }, signal }))
        const buckets = c.buckets ?? []
        return { span: now, stored: buckets.reduce((n, b) => n + b.count, 0), points: buckets.map((b): Point => [b.start, b.avg ?? Number(b.last)]) }
      },
    })),
  })
}

// within puts what was read again closely into the whole.
function within(whole: Point[], part: Point[], { from, to }: { from: number; to: number }): Point[] {
  const at = (p: Point) => Date.parse(p[0])
  return [...whole.filter((p) => at(p) < from), ...part, ...whole.filter((p) => at(p) > to)]
}
