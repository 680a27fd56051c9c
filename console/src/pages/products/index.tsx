import { PlusOutlined } from '@ant-design/icons'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Empty, Flex, Grid, Table, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { appTexts } from '../../app/texts'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Refused } from '../../parts/Refused'
import { ruleTexts } from '../../parts/ruleTexts'
import { Typed } from '../../parts/Typed'
import { CreateProduct } from './CreateProduct'
import { productsTexts } from './texts'

export function Page() {
  const app = useTexts(appTexts)
  const t = useTexts(productsTexts)
  const rules = useTexts(ruleTexts)
  const { language } = useLanguage()
  const wide = Grid.useBreakpoint().sm ?? true
  const able = may(useMe(), 'operator')
  const [text, setText] = useState('')
  const [making, setMaking] = useState(false)
  const products = useInfiniteQuery({
    queryKey: ['products', 'list', text],
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/products', { params: { query: { text, limit: 50, after: pageParam } } })),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: (old) => old,
  })
  const rows = products.data?.pages.flatMap((p) => p.items ?? []) ?? []
  const create = (
    <Tooltip title={able ? undefined : t.role}>
      <Button type="primary" icon={<PlusOutlined />} disabled={!able} onClick={() => setMaking(true)}>
        {t.create}
      </Button>
    </Tooltip>
  )
  return (
    <Flex vertical gap={16}>
      <Flex justify="space-between" align="center" gap={12} wrap>
        <Typography.Title level={2} style={{ margin: 0 }}>
          {app.products}
        </Typography.Title>
        <Flex gap={8} wrap justify="flex-end" flex="1 1 300px">
          <Typed label={t.search} width={220} value={text} change={setText} />
          {create}
        </Flex>
      </Flex>
      <Refused error={products.error} />
      <Table<Schemas['Product']>
        rowKey="key"
        dataSource={rows}
        loading={products.isPending}
        pagination={false}
        locale={{
          emptyText: products.isPending ? ' ' : (
            <Empty description={text ? t.nothing : t.empty} style={{ padding: 24 }}>
              {!text && create}
            </Empty>
          ),
        }}
        columns={[
          {
            title: t.name,
            render: (_, p) => (
              <Flex vertical style={{ overflowWrap: 'anywhere' }}>
                <Link to={`/products/${encodeURIComponent(p.key)}`}>{p.name || p.key}</Link>
                <Typography.Text type="secondary" className="mono" style={{ fontSize: 12 }}>
                  {p.key}
                </Typography.Text>
                {!wide && <Typography.Text type="secondary" style={{ fontSize: 12 }}>{t.dialects[p.dialect] ?? p.dialect}</Typography.Text>}
              </Flex>
            ),
          },
          {
            title: t.dialect,
            responsive: ['sm'],
            render: (_, p) => (
              <Flex gap={4} wrap>
                <Tag>{t.dialects[p.dialect] ?? p.dialect}</Tag>
                {p.nodeType === 'gateway' && <Tag>{rules.gateway}</Tag>}
              </Flex>
            ),
          },
          {
            title: rules.strictness,
            responsive: ['md'],
            render: (_, p) => (
              <Tooltip title={rules.strictHelp[p.strictness]}>
                <Tag color={p.strictness === 'open' ? 'red' : 'default'}>{rules.strict[p.strictness] ?? p.strictness}</Tag>
              </Tooltip>
            ),
          },
          { title: t.model, responsive: ['lg'], render: (_, p) => (p.dataModel === 'streams' ? rules.streams : p.modelVersion ? `v${p.modelVersion}` : t.unpublished) },
          { title: t.devices, align: 'right', render: (_, p) => <Link to={`/devices?product=${encodeURIComponent(p.key)}`}>{p.devices.toLocaleString(language)}</Link> },
          { title: t.created, responsive: ['lg'], render: (_, p) => new Date(p.createdAt).toLocaleDateString(language) },
        ]}
      />
      {products.hasNextPage && (
        <Button onClick={() => products.fetchNextPage()} loading={products.isFetchingNextPage} style={{ alignSelf: 'center' }}>
          {t.more}
        </Button>
      )}
      {making && <CreateProduct done={() => setMaking(false)} />}
    </Flex>
  )
}
