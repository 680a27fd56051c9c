import { useContext, useEffect, useRef, useState } from 'react'
import { ThemeContext } from '../app/theme'

// A Line is a curve over time.
export type Line = { id: string; name: string; unit: string; points: [string | number, number][]; color?: string }

type Props = { lines: Line[]; zoom?: boolean; height?: number; label?: string }

// Lines draws curves over time, those of one unit on one axis.
export function Lines({ lines, zoom = false, height = 380, label }: Props) {
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
