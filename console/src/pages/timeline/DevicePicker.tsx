import { useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { useDeferredValue, useState } from 'react'
import { api, must } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { pageTexts } from './texts'

// DevicePicker finds one device among all by the beginning or a part of its name.
export function DevicePicker({ value, choose }: { value: { product: string; device: string } | undefined; choose: (product: string, device: string) => void }) {
  const t = useTexts(pageTexts)
  const [words, setWords] = useState('')
  const search = useDeferredValue(words)
  const devices = useQuery({
    queryKey: ['devices', 'pick', search],
    queryFn: () => must(api.GET('/api/v1/devices', { params: { query: { limit: 50, ...(search && { text: search }) } } })),
    placeholderData: (old) => old,
  })
  const options = (devices.data?.items ?? []).map((d) => ({ value: `${d.product}/${d.name}`, label: `${d.name} · ${d.product}` }))
  return (
    <Select
      showSearch={{ filterOption: false, onSearch: setWords }}
      value={value ? `${value.product}/${value.device}` : null}
      loading={devices.isFetching}
      options={options}
      placeholder={t.choose}
      aria-label={t.device}
      style={{ width: 'min(100%, 360px)' }}
      onChange={(v: string) => {
        const [product = '', device = ''] = v.split('/')
        choose(product, device)
      }}
    />
  )
}
