import { useQuery } from '@tanstack/react-query'
import { Flex, Skeleton, Tabs, Tag, Typography } from 'antd'
import { useParams } from 'react-router'
import { api, must } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { Refused } from '../../parts/Refused'
import { Model } from './Model'
import { Script } from './Script'
import { Settings } from './Settings'
import { productTexts } from './texts'

export function Page() {
  const t = useTexts(productTexts)
  const product = useParams().product ?? ''
  const found = useQuery({ queryKey: ['products', product], queryFn: () => must(api.GET('/api/v1/products/{product}', { params: { path: { product } } })) })
  const p = found.data
  if (!p) return found.isPending ? <Skeleton active /> : <Refused error={found.error} />
  return (
    <Flex vertical gap={12}>
      <Flex align="center" gap={8} wrap>
        <Typography.Title level={2} style={{ margin: 0 }}>
          {p.name || p.key}
        </Typography.Title>
        <Tag>{p.dialect}</Tag>
        <Typography.Text copyable className="mono" type="secondary">
          {p.key}
        </Typography.Text>
      </Flex>
      <Tabs
        items={[
          { key: 'model', label: t.model, children: <Model product={p} /> },
          ...(p.dialect === 'mqtt' ? [] : [{ key: 'script', label: t.script, children: <Script product={p.key} /> }]),
          { key: 'settings', label: t.settings, children: <Settings key={p.updatedAt} product={p} /> },
        ]}
      />
    </Flex>
  )
}
