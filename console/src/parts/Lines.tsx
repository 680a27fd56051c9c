import { useContext, useEffect, useRef, useState } from 'react'
import { ThemeContext } from '../app/theme'

// A Line is a curve over time.
export type Line = { id: string; name: string; unit: string; points: [string | number, number][]; color?: string }

type Props = { lines: Line[]; zoom?: boolean; onZoom?: (part: { from: number; to: number } | undefined) => void; height?: number; label?: string }

// A part below this share of the whole is one that is looked at closely.
const closely = 0.5

// A name of more characters is cut short beside its curve.
const longest = 24

// A pause of so many milliseconds ends a zoom.
const pause = 300

// Lines draws curves over time, those of one unit on one axis. onZoom is told
// which part of the whole is looked at closely, undefined for none.
export function Lines({ lines, zoom = false, onZoom, height = 380, label }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const { dark } = useContext(ThemeContext)
  const chart = useRef<{ setOption: (o: object, how?: object) => void } | null>(null)
  const zoomed = useRef(onZoom)
  zoomed.current = onZoom
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
      let rest: ReturnType<typeof setTimeout>
      made.on('datazoom', () => {
        clearTimeout(rest)
        rest = setTimeout(() => zoomed.current?.(partOf(made.getOption() as Zoomed)), pause)
      })
      end = () => {
        clearTimeout(rest)
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
        legend: { type: 'scroll', top: 0, formatter: (name: string) => (name.length > longest ? `${name.slice(0, longest - 1)}…` : name) },
        grid: { left: 8, right: 8 + Math.max(0, units.length - 2) * 48, top: 48, bottom: zoom ? 64 : 8, containLabel: true },
        ...(zoom ? { dataZoom: [{ type: 'inside' }, { type: 'slider', height: 22 }] } : {}),
        xAxis: { type: 'time', axisLabel: { hideOverlap: true } },
        yAxis: units.map((name, i) => ({ type: 'value', name, scale: true, position: i === 0 ? 'left' : 'right', offset: Math.max(0, i - 1) * 48, splitLine: { show: i === 0 } })),
        series: lines.map((l) => ({ id: l.id, type: 'line', name: l.name, yAxisIndex: units.indexOf(l.unit), showSymbol: l.points.length < (zoom ? 60 : 3), data: l.points, ...(l.color ? { color: l.color } : {}) })),
      },
      { replaceMerge: ['series', 'yAxis'] },
    )
  }, [lines, ready, zoom])
  return <div ref={box} role="img" aria-label={label ?? lines.map((l) => l.name).join(', ')} style={{ height, width: '100%' }} />
}

type Zoomed = { dataZoom?: { start?: number; end?: number; startValue?: number; endValue?: number }[] }

function partOf({ dataZoom: [z] = [] }: Zoomed): { from: number; to: number } | undefined {
  if (!z || (z.end ?? 100) - (z.start ?? 0) > closely * 100 || z.startValue === undefined || z.endValue === undefined) return undefined
  return { from: Math.floor(z.startValue), to: Math.ceil(z.endValue) }
}
