import { useQueries } from '@tanstack/react-query'
import { Empty, Flex, Segmented, Select } from 'antd'
import { useState } from 'react'
import { api, must } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { Lines } from '../../parts/Lines'
import { keyOf, useLatest, useModel, type Id } from './data'
import { Export } from './Export'
import { deviceTexts } from './texts'

const ranges = { '15m': 15, '1h': 60, '6h': 360, '24h': 1440, '7d': 10080, '30d': 43200 } as const
type Range = keyof typeof ranges

const drawable = ['int32', 'int64', 'float', 'double', 'bool', 'enum']

// Curves compare properties over time; the wheel zooms.
export function Curves({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const model = useModel(id.product)
  const latest = useLatest(id)
  const [range, setRange] = useState<Range>('1h')
  const [picked, pick] = useState<string[] | null>(null)
  const known = (latest.data?.items ?? []).filter((l) => {
    const type = model.data?.properties?.find((p) => p.id === l.property)?.type
    return type ? drawable.includes(type.kind) : typeof (l.value as unknown) === 'number'
  })
  const chosen = picked ?? known.filter((l) => l.time).slice(0, 2).map((l) => l.property)
  const courses = useQueries({
    queries: chosen.map((property) => ({
      queryKey: keyOf(id, 'history', property, range),
      queryFn: async () => {
        const from = new Date(Date.now() - ranges[range] * 60_000).toISOString()
        const c = await must(
          api.GET('/api/v1/products/{product}/devices/{device}/properties/{property}/history', { params: { path: { ...id, property }, query: { from, points: 600 } } }),
        )
        const buckets = c.buckets ?? []
        return { from, stored: buckets.reduce((n, b) => n + b.count, 0), points: buckets.map((b) => [b.start, b.avg ?? Number(b.last)] as [string, number]) }
      },
    })),
  })
  const lines = chosen.map((property, i) => {
    const l = known.find((k) => k.property === property)
    return { id: property, name: l?.name || property, unit: l?.unit ?? '', points: courses[i]?.data?.points ?? [] }
  })
  const stored = courses.reduce((n, c) => n + (c.data?.stored ?? 0), 0)
  const from = courses[0]?.data?.from
  const empty = lines.every((l) => l.points.length === 0)
  return (
    <Flex vertical gap={12}>
      <Flex gap={8} wrap align="center">
        <Segmented aria-label={t.range} options={Object.keys(ranges)} value={range} onChange={(r) => setRange(r as Range)} />
        <Select
          mode="multiple"
          aria-label={t.properties}
          placeholder={t.properties}
          value={chosen}
          onChange={pick}
          options={known.map((l) => ({ value: l.property, label: l.name || l.property }))}
          style={{ flex: '1 1 240px', maxWidth: 600 }}
        />
        <Export id={id} properties={chosen} from={from} stored={stored} />
      </Flex>
      {empty ? <Empty description={t.noData} /> : <Lines lines={lines} zoom />}
    </Flex>
  )
}
