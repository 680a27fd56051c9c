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
      try {
        if (composed(type) && v) JSON.parse(String(v))
        return Promise.resolve()
      } catch {
        return Promise.reject(new Error(t.badJson))
      }
    },
  }
  return (
    <Form.Item name={id} label={label} rules={[rule]}>
      {input(type)}
    </Form.Item>
  )
}

function input(type: DataType) {
  switch (type.kind) {
    case 'int32':
    case 'int64':
    case 'float':
    case 'double':
    case 'bitmap': {
      const whole = !['float', 'double'].includes(type.kind)
      return (
        <InputNumber
          style={{ width: '100%' }}
          {...(type.min !== undefined ? { min: type.min } : {})}
          {...(type.max !== undefined ? { max: type.max } : {})}
          {...(type.step ? { step: type.step } : {})}
          {...(whole ? { precision: 0 } : {})}
          {...(type.min !== undefined && type.max !== undefined ? { placeholder: `${type.min} – ${type.max}` } : {})}
        />
      )
    }
    case 'bool':
    case 'enum': {
      const labels = type.labels ?? [{ value: 0, text: '' }, { value: 1, text: '' }]
      return <Select allowClear options={labels.map((l) => ({ value: l.value, label: l.text ? `${l.text} (${l.value})` : String(l.value) }))} />
    }
    case 'struct':
    case 'array':
      return <Input.TextArea autoSize={{ minRows: 2 }} placeholder={type.kind === 'array' ? '[…]' : '{…}'} />
    default:
      return <Input {...(type.length ? { maxLength: type.length } : {})} />
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
