import { useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { useDeferredValue, useState } from 'react'
import { api, must } from '../api/client'
import { texts, useTexts } from '../i18n/texts'

const pickerTexts = texts({ device: 'Device', choose: 'Search for a device' }, { device: '设备', choose: '搜索设备' })

type Props = { value: { product: string; device: string } | undefined; choose: (product: string, device: string) => void; within?: string }

// DevicePicker finds one device by the beginning or a part of its name, among
// all or within one product.
export function DevicePicker({ value, choose, within }: Props) {
  const t = useTexts(pickerTexts)
  const [words, setWords] = useState('')
  const search = useDeferredValue(words)
  const devices = useQuery({
    queryKey: ['devices', 'pick', within ?? '', search],
    queryFn: ({ signal }) => must(api.GET('/api/v1/devices', { params: { query: { limit: 50, ...(within && { product: within }), ...(search && { text: search }) } }, signal })),
    placeholderData: (old) => old,
  })
  const options = (devices.data?.items ?? []).map((d) => ({ value: `${d.product}/${d.name}`, label: within ? d.name : `${d.name} · ${d.product}` }))
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
