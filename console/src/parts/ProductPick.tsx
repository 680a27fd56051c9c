import { useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { useEffect } from 'react'
import { useSearchParams } from 'react-router'
import { api, must, type Schemas } from '../api/client'
import { texts, useTexts } from '../i18n/texts'

const pickTexts = texts({ product: 'Product', none: 'No product yet' }, { product: '产品', none: '还没有产品' })

// useProduct is the product that a page is about, kept in its address.
export function useProduct(): [string, (key: string) => void] {
  const [search, setSearch] = useSearchParams()
  return [search.get('product') ?? '', (key) => setSearch({ product: key }, { replace: true })]
}

// useProducts are all products.
export const useProducts = () =>
  useQuery({
    queryKey: ['products', 'all'],
    queryFn: () => must(api.GET('/api/v1/products', { params: { query: { limit: 1000 } } })),
  })

type Props = { value: string; choose: (key: string) => void; fits?: (p: Schemas['Product']) => boolean; none?: string }

// ProductPick chooses a product among those that fit; the first one where none
// is chosen.
export function ProductPick({ value, choose, fits, none }: Props) {
  const t = useTexts(pickTexts)
  const products = useProducts()
  const items = (products.data?.items ?? []).filter((p) => p.key === value || !fits || fits(p))
  const first = items[0]?.key
  useEffect(() => {
    if (!value && first) choose(first)
  }, [value, first])
  return (
    <Select
      aria-label={t.product}
      showSearch={{ optionFilterProp: 'label' }}
      loading={products.isPending}
      placeholder={products.isSuccess && !first ? none ?? t.none : t.product}
      value={value || null}
      onChange={choose}
      options={items.map((p) => ({ value: p.key, label: `${p.name} · ${p.key}` }))}
      style={{ minWidth: 220, maxWidth: '100%' }}
    />
  )
}
