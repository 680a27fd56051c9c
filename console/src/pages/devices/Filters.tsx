import { Flex, Input, Select } from 'antd'
import { useEffect, useRef, useState } from 'react'
import type { Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { deviceStates, useStateName } from '../../parts/DeviceState'
import type { Filter } from './filter'
import { devicesTexts } from './texts'

type Props = { filter: Filter; change: (f: Filter) => void; products: Schemas['Product'][] }

// Filters narrow the list as one types.
export function Filters({ filter, change, products }: Props) {
  const t = useTexts(devicesTexts)
  const name = useStateName()
  const text = (field: 'text' | 'tag' | 'batch', label: string, width: number) => (
    <Typed label={label} width={width} value={filter[field] ?? ''} change={(v) => change({ [field]: v })} />
  )
  return (
    <Flex gap={8} wrap>
      {text('text', t.search, 220)}
      <Select
        aria-label={t.product}
        placeholder={t.product}
        allowClear
        showSearch={{ optionFilterProp: 'label' }}
        value={filter.product ?? null}
        onChange={(product: string | null | undefined) => change({ product: product ?? '' })}
        options={products.map((p) => ({ value: p.key, label: `${p.name} (${p.key})` }))}
        style={{ flex: '1 1 180px', maxWidth: 300 }}
      />
      <Select
        aria-label={t.state}
        placeholder={t.state}
        allowClear
        value={filter.state ?? null}
        onChange={(state: string | null | undefined) => change({ state: state ?? '' })}
        options={deviceStates.map((s) => ({ value: s, label: name(s) }))}
        style={{ flex: '1 1 120px', maxWidth: 180 }}
      />
      {text('tag', t.tag, 150)}
      {text('batch', t.batch, 120)}
    </Flex>
  )
}

// A pause of so many milliseconds in typing is the end of a word.
const pause = 200

// Typed is a field that acts when the typing pauses, or on Enter.
function Typed({ label, width, value, change }: { label: string; width: number; value: string; change: (v: string) => void }) {
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
  return (
    <Input
      aria-label={label}
      placeholder={label}
      allowClear
      autoComplete="off"
      value={typed}
      onChange={(e) => setTyped(e.target.value)}
      onPressEnter={() => say(typed)}
      style={{ flex: `1 1 ${width}px`, maxWidth: width * 1.6 }}
    />
  )
}
