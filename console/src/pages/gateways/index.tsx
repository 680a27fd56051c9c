import { useQuery } from '@tanstack/react-query'
import { Empty, Flex, Select, Typography } from 'antd'
import { useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { appTexts } from '../../app/texts'
import { useTexts } from '../../i18n/texts'
import { ProductPick, useProduct, useProducts } from '../../parts/ProductPick'
import { Trouble } from '../../parts/Trouble'
import { Found } from './Found'
import { Permit } from './Permit'
import { Subs } from './Subs'
import { gatewayTexts } from './texts'

const isGateway = (p: Schemas['Product']) => p.nodeType === 'gateway'

// Page is a gateway with the devices behind it.
export function Page() {
  const frame = useTexts(appTexts)
  const t = useTexts(gatewayTexts)
  const [product, chooseProduct] = useProduct()
  const products = useProducts()
  const without = product === '' && products.isSuccess && !products.data.items.some(isGateway)
  const [text, setText] = useState('')
  const [search, setSearch] = useSearchParams()
  const chosen = search.get('device') ?? ''
  const found = useQuery({
    queryKey: ['gateways', product, text],
    queryFn: () => must(api.GET('/api/v1/devices', { params: { query: { product, limit: 50, ...(text && { text }) } } })),
    enabled: product !== '',
  })
  const items = found.data?.items ?? []
  const device = chosen || items[0]?.name || ''
  return (
    <>
      <Flex justify="space-between" align="center" gap={12} wrap style={{ marginBottom: 16 }}>
        <Typography.Title level={2} style={{ margin: 0 }}>{frame.gateways}</Typography.Title>
        {!without && <Flex gap={8} wrap style={{ maxWidth: '100%' }}>
          <ProductPick value={product} choose={(key) => { setText(''); chooseProduct(key) }} fits={isGateway} none={t.noProduct} />
          <Select
            aria-label={t.gateway}
            placeholder={t.choose}
            showSearch={{ filterOption: false, onSearch: setText }}
            loading={found.isFetching}
            value={device || null}
            onChange={(device: string) => setSearch({ product, device }, { replace: true })}
            options={items.map((d) => ({ value: d.name, label: d.name }))}
            style={{ minWidth: 180 }}
          />
        </Flex>}
      </Flex>
      <Trouble error={found.error} again={found.refetch} />
      {device ? (
        <Flex vertical gap={24}>
          <Permit product={product} device={device} />
          <Subs product={product} device={device} />
          <Found product={product} device={device} />
        </Flex>
      ) : (found.isSuccess || without) && <Empty description={without ? t.noProductHint : t.none}><Link to={without ? '/products' : `/devices?product=${encodeURIComponent(product)}`}>{without ? t.toProducts : t.toDevices}</Link></Empty>}
    </>
  )
}
