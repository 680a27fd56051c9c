import { DeleteOutlined, PlusOutlined } from '@ant-design/icons'
import { AutoComplete, Button, Flex, Form, Input, InputNumber, Select, type SelectProps, Space, Typography } from 'antd'
import { useLanguage, useTexts } from '../../../i18n/texts'
import { Field, Fields, useTrouble } from './Field'
import { ParamList } from './ParamList'
import { kindWord, modelTexts, strangeKinds } from './texts'
import { isNumber, kinds, ofKind, type DataType, type Kind, type Label } from './types'
import { units } from './units'

type Props = { at: string; label?: string; type: DataType; change: (t: DataType) => void; dialect: string }

// TypeFields are a data type and whatever it needs: bounds, values, members.
export function TypeFields({ at, label, type, change, dialect }: Props) {
  const t = useTexts(modelTexts)
  const strange = strangeKinds[dialect] ?? []
  const option = (kind: (typeof kinds)[number]) => ({ value: kind, label: `${kindWord(kind, dialect)} · ${t.kinds[kind]}` })
  const own = kinds.filter((k) => !strange.includes(k)).map(option)
  const options: SelectProps<Kind>['options'] = strange.length > 0 ? [{ label: t.ofVendor, options: own }, { label: t.notOfVendor, options: kinds.filter((k) => strange.includes(k)).map(option) }] : own
  const set = (part: Partial<DataType>) => change({ ...type, ...part })
  const amount = (key: 'min' | 'max' | 'step' | 'length' | 'size', label: string, placeholder: string) => (
    <Field at={`${at}.${key}`} label={label}>
      <InputNumber style={{ width: '100%' }} value={type[key] || (type[key] === 0 && key !== 'length' && key !== 'size') ? type[key] : null} placeholder={placeholder} onChange={(v) => set({ [key]: v ?? undefined })} />
    </Field>
  )
  return (
    <>
      <Field at={`${at}.kind`} label={label ?? t.type}>
        <Select<Kind> value={type.kind} options={options} showSearch={{ optionFilterProp: 'label' }} listHeight={330} onChange={(kind) => change(ofKind(kind, type))} />
      </Field>
      {isNumber(type.kind) && (
        <>
          <Fields>
            {amount('min', t.min, t.unbounded)}
            {amount('max', t.max, t.unbounded)}
            {amount('step', t.stepWidth, '—')}
          </Fields>
          <UnitFields at={at} type={type} set={set} />
        </>
      )}
      {type.kind === 'bool' && (
        <Fields>
          {[t.zero, t.one].map((label, value) => (
            <Field key={value} at={`${at}.labels.${value}`} label={label}>
              <Input value={textOf(type.labels, value)} onChange={(e) => set({ labels: [0, 1].map((v) => ({ value: v, text: v === value ? e.target.value : textOf(type.labels, v) })) })} />
            </Field>
          ))}
        </Fields>
      )}
      {type.kind === 'enum' && <Values at={`${at}.labels`} labels={type.labels ?? []} change={(labels) => set({ labels })} />}
      {type.kind === 'text' && amount('length', t.length, t.unlimited)}
      {type.kind === 'bitmap' && amount('length', t.bits, t.unlimited)}
      {type.kind === 'date' && <Typography.Paragraph type="secondary">{t.date}</Typography.Paragraph>}
      {type.kind === 'struct' && <ParamList at={`${at}.fields`} label={t.fields} add={t.addField} params={type.fields ?? []} change={(fields) => set({ fields })} dialect={dialect} />}
      {type.kind === 'array' && (
        <>
          {amount('size', t.size, t.unlimited)}
          <div style={{ borderInlineStart: '2px solid currentColor', borderColor: 'var(--ant-color-border, #8885)', paddingInlineStart: 12 }}>
            <TypeFields at={`${at}.item`} label={t.item} type={type.item ?? { kind: 'int32' }} change={(item) => set({ item })} dialect={dialect} />
          </div>
        </>
      )}
    </>
  )
}

const textOf = (labels: Label[] | undefined, value: number) => labels?.find((l) => l.value === value)?.text ?? ''

// UnitFields are a unit's symbol, chosen or typed, and its name.
function UnitFields({ at, type, set }: { at: string; type: DataType; set: (part: Partial<DataType>) => void }) {
  const t = useTexts(modelTexts)
  const { language } = useLanguage()
  const typed = (type.unit ?? '').toLowerCase()
  const known = units.filter((u) => typed === '' || units.some((other) => other.symbol === type.unit) || [u.symbol, u.zh, u.en].some((word) => word.toLowerCase().includes(typed)))
  const choose = (unit: string) => {
    const found = units.find((u) => u.symbol === unit)
    set(found ? { unit, unitName: found[language] } : { unit: unit || undefined, ...(unit ? {} : { unitName: undefined }) })
  }
  return (
    <Fields>
      <Field at={`${at}.unit`} label={t.unit}>
        <AutoComplete allowClear value={type.unit ?? ''} placeholder={t.unitFind} onChange={choose} options={known.map((u) => ({ value: u.symbol, label: `${u.symbol} · ${u[language]}` }))} />
      </Field>
      <Field at={`${at}.unitName`} label={t.unitName}>
        <Input value={type.unitName ?? ''} onChange={(e) => set({ unitName: e.target.value || undefined })} />
      </Field>
    </Fields>
  )
}

// Values are those of an enum with their texts.
function Values({ at, labels, change }: { at: string; labels: Label[]; change: (l: Label[]) => void }) {
  const t = useTexts(modelTexts)
  const none = useTrouble(at)
  const put = (i: number, part: Partial<Label>) => change(labels.map((l, j) => (i === j ? { ...l, ...part } : l)))
  const next = labels.reduce((top, l) => Math.max(top, l.value), -1) + 1
  return (
    <Form.Item label={t.values} style={{ marginBottom: 12 }} validateStatus={none ? 'warning' : ''} help={none && t.troubles[none.what]}>
      <Flex vertical gap={6} role="group" aria-label={t.values}>
        {labels.map((l, i) => (
          <Value key={i} at={`${at}.${i}`} n={i + 1} label={l} put={(part) => put(i, part)} remove={() => change(labels.filter((_, j) => j !== i))} />
        ))}
        <Button icon={<PlusOutlined />} size="small" style={{ alignSelf: 'start' }} onClick={() => change([...labels, { value: next, text: '' }])}>
          {t.addValue}
        </Button>
      </Flex>
    </Form.Item>
  )
}

function Value({ at, n, label, put, remove }: { at: string; n: number; label: Label; put: (part: Partial<Label>) => void; remove: () => void }) {
  const t = useTexts(modelTexts)
  const trouble = useTrouble(at)
  return (
    <div>
      <Space.Compact block>
        <InputNumber aria-label={t.value(n)} precision={0} style={{ width: 110 }} value={label.value} status={trouble ? 'error' : ''} aria-invalid={!!trouble} onChange={(v) => put({ value: v ?? 0 })} />
        <Input aria-label={t.valueText(n)} value={label.text} onChange={(e) => put({ text: e.target.value })} />
        <Button icon={<DeleteOutlined />} aria-label={`${t.remove} ${label.value}`} onClick={remove} />
      </Space.Compact>
      {trouble && <Typography.Text type="danger">{t.troubles[trouble.what]}</Typography.Text>}
    </div>
  )
}
