import { AutoComplete, Input } from 'antd'
import { useEffect, useRef, useState } from 'react'

// A pause of so many milliseconds in typing is the end of a word.
const pause = 200

type Props = { label: string; width: number; value: string; change: (v: string) => void; options?: { value: string; label: string }[] }

// Typed is a field that acts when the typing pauses, or on Enter. With options,
// those that have what is typed in them are offered.
export function Typed({ label, width, value, change, options }: Props) {
  const [typed, setTyped] = useState(value)
  const act = useRef(change)
  act.current = change
  const said = useRef(value)
  useEffect(() => {
    if (value !== said.current) { // changed by somebody else: the way back, or "clear"
      said.current = value
      setTyped(value)
    }
  }, [value])
  const say = (v: string) => {
    if (v.trim() === said.current) return
    said.current = v.trim()
    act.current(said.current)
  }
  useEffect(() => {
    const timer = setTimeout(() => say(typed), pause)
    return () => clearTimeout(timer)
  }, [typed])
  const style = { flex: `1 1 ${width}px`, maxWidth: width * 1.6 }
  if (options) {
    return (
      <AutoComplete
        aria-label={label}
        placeholder={label}
        allowClear
        value={typed}
        onChange={(v: string | undefined) => setTyped(v ?? '')}
        options={options.filter((o) => o.value.includes(typed))}
        popupMatchSelectWidth={false}
        style={style}
      />
    )
  }
  return (
    <Input
      aria-label={label}
      placeholder={label}
      allowClear
      autoComplete="off"
      value={typed}
      onChange={(e) => setTyped(e.target.value)}
      onPressEnter={() => say(typed)}
      style={style}
    />
  )
}
