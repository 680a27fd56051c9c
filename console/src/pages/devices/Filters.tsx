import { Flex, Select } from 'antd'
import type { Schemas } from '../../api/client'
import { useLanguage, useTexts } from '../../i18n/texts'
import { deviceStates, useStateName } from '../../parts/DeviceState'
import { Typed } from '../../parts/Typed'
import { useTags } from './data'
import type { Filter } from './filter'
import { devicesTexts } from './texts'

type Props = { filter: Filter; change: (f: Filter) => void; products: Schemas['Product'][] }

// Filters narrow the list as one types.
export function Filters({ filter, change, products }: Props) {
  const t = useTexts(devicesTexts)
  const name = useStateName()
  const { language } = useLanguage()
  const tags = useTags(filter.product)
  const text = (field: 'text' | 'batch', label: string, width: number) => (
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
      <Typed label={t.tag} width={150} value={filter.tag ?? ''} change={(tag) => change({ tag })} options={tags.map((tag) => ({ value: tag.text, label: `${tag.text} · ${tag.devices.toLocaleString(language)}` }))} />
      {text('batch', t.batch, 120)}
    </Flex>
  )
}
