import { useQueries } from '@tanstack/react-query'
import { Empty, Flex, Segmented, Select } from 'antd'
import { useContext, useEffect, useRef, useState } from 'react'
import { api, must } from '../../api/client'
import { ThemeContext } from '../../app/theme'
import { useTexts } from '../../i18n/texts'
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
    return { property, name: l?.name || property, unit: l?.unit ?? '', points: courses[i]?.data?.points ?? [] }
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
      {empty ? <Empty description={t.noData} /> : <Chart lines={lines} />}
    </Flex>
  )
}

type Line = { property: string; name: string; unit: string; points: [string, number][] }

// Chart draws lines, those of one unit on one axis.
function Chart({ lines }: { lines: Line[] }) {
  const box = useRef<HTMLDivElement>(null)
  const { dark } = useContext(ThemeContext)
  const chart = useRef<{ setOption: (o: object, how?: object) => void } | null>(null)
  const [ready, setReady] = useState(false)
  useEffect(() => {
    let gone = false
    let end = () => undefined as void
    void import('./chart').then(({ init }) => {
      if (gone || !box.current) return
      const made = init(box.current, dark ? 'dark' : null)
      const watch = new ResizeObserver(() => made.resize())
      watch.observe(box.current)
      chart.current = made
      end = () => {
        watch.disconnect()
        made.dispose()
      }
      setReady(true)
    })
    return () => {
      gone = true
      chart.current = null
      setReady(false)
      end()
    }
  }, [dark])
  useEffect(() => {
    const units = [...new Set(lines.map((l) => l.unit))]
    chart.current?.setOption(
      {
        backgroundColor: 'transparent',
        animation: false,
        tooltip: { trigger: 'axis', renderMode: 'richText' },
        legend: { type: 'scroll', top: 0 },
        grid: { left: 8, right: 8 + Math.max(0, units.length - 2) * 48, top: 48, bottom: 64, containLabel: true },
        dataZoom: [{ type: 'inside' }, { type: 'slider', height: 22 }],
        xAxis: { type: 'time' },
        yAxis: units.map((name, i) => ({ type: 'value', name, scale: true, position: i === 0 ? 'left' : 'right', offset: Math.max(0, i - 1) * 48, splitLine: { show: i === 0 } })),
        series: lines.map((l) => ({ id: l.property, type: 'line', name: l.name, yAxisIndex: units.indexOf(l.unit), showSymbol: l.points.length < 60, data: l.points })),
      },
      { replaceMerge: ['series', 'yAxis'] },
    )
  }, [lines, ready])
  return <div ref={box} role="img" aria-label={lines.map((l) => l.name).join(', ')} style={{ height: 380, width: '100%' }} />
}
