import { Form, Input, InputNumber, Select } from 'antd'
import { useTexts } from '../../i18n/texts'
import type { DataType } from './data'
import { deviceTexts } from './texts'

type Param = { id: string; name: string; type: DataType }

const composed = (type: DataType) => type.kind === 'struct' || type.kind === 'array'

// TypeInput is the input that fits a data type of the thing model.
export function TypeInput({ param: { id, name, type } }: { param: Param }) {
  const t = useTexts(deviceTexts)
  const label = `${name || id}${type.unit ? ` (${type.unit})` : ''}`
  const rule = {
    validator: (_: unknown, v: unknown) => {
      const wrong = v === undefined || v === null || v === '' ? undefined : mistake(v, type)
      return wrong ? Promise.reject(new Error(t.badValue[wrong](type.min, type.max, type.length))) : Promise.resolve()
    },
  }
  return (
    <Form.Item name={id} label={label} rules={[rule]}>
      {input(type)}
    </Form.Item>
  )
}

// mistake is why a value cannot be of a type. It is told, not mended: a number
// that becomes another one unasked is sent to a machine.
function mistake(v: unknown, type: DataType) {
  if (composed(type)) {
    try {
      JSON.parse(String(v))
      return undefined
    } catch {
      return 'json'
    }
  }
  if (typeof v === 'string') return type.length && new TextEncoder().encode(v).length > type.length ? 'long' : undefined
  if (typeof v !== 'number' || type.labels?.length) return undefined
  if (type.min !== undefined && v < type.min) return 'low'
  if (type.max !== undefined && v > type.max) return 'high'
  return !fractions(type) && !Number.isSafeInteger(v) ? 'whole' : undefined
}

const fractions = (type: DataType) => type.kind === 'float' || type.kind === 'double'

function input(type: DataType) {
  switch (type.kind) {
    case 'int32':
    case 'int64':
    case 'float':
    case 'double':
    case 'bitmap':
      return (
        <InputNumber
          style={{ width: '100%' }}
          {...(type.step ? { step: type.step } : {})}
          {...(type.min !== undefined && type.max !== undefined ? { placeholder: `${type.min} – ${type.max}` } : {})}
        />
      )
    case 'bool':
    case 'enum': {
      const labels = type.labels ?? [{ value: 0, text: '' }, { value: 1, text: '' }]
      return <Select allowClear options={labels.map((l) => ({ value: l.value, label: l.text ? `${l.text} (${l.value})` : String(l.value) }))} />
    }
    case 'struct':
    case 'array':
      return <Input.TextArea autoSize={{ minRows: 2 }} placeholder={type.kind === 'array' ? '[…]' : '{…}'} />
    default:
      return <Input />
  }
}

// given are the values that somebody entered, as JSON has them.
export function given(params: Param[], entered: Record<string, unknown>): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const p of params) {
    const v = entered[p.id]
    if (v === undefined || v === null || v === '') continue
    values[p.id] = composed(p.type) ? JSON.parse(String(v)) : v
  }
  return values
}
