import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Card, Empty, Flex, Table, Tag } from 'antd'
import { Link } from 'react-router'
import { api, must, type Schemas } from '../../../api/client'
import { useTexts } from '../../../i18n/texts'
import { Trouble } from '../../../parts/Trouble'
import { When } from '../../../parts/When'
import { configTexts } from './texts'

const colors: Record<string, string> = { pushed: 'processing', taken: 'success', failed: 'error' }

// Deliveries are how far the configuration has come with each device.
export function Deliveries({ product, versions }: { product: string; versions: Schemas['Version'][] }) {
  const t = useTexts(configTexts)
  const found = useInfiniteQuery({
    queryKey: ['products', product, 'config', 'deliveries'],
    initialPageParam: '',
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/products/{product}/config/deliveries', { params: { path: { product }, query: { limit: 100, ...(pageParam && { after: pageParam }) } } })),
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: (q) => (q.state.data?.pages.some((p) => p.items?.some((d) => d.state === 'pushed')) ? 3000 : false),
  })
  const number = new Map(versions.map((v) => [v.configId, v.version]))
  return (
    <Card size="small" title={t.deliveries}>
      <Flex vertical gap={12}>
        <Trouble error={found.error} again={found.refetch} />
        <Table<Schemas['Delivery']>
          rowKey="device"
          size="small"
          loading={found.isPending}
          dataSource={found.data?.pages.flatMap((p) => p.items ?? []) ?? []}
          pagination={false}
          scroll={{ x: 'max-content' }}
          locale={{ emptyText: <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t.noDeliveries} /> }}
          columns={[
            { title: t.device, dataIndex: 'device', render: (d: string) => <Link to={`/devices/${encodeURIComponent(product)}/${encodeURIComponent(d)}`}>{d}</Link> },
            { title: t.version, dataIndex: 'configId', render: (id: string) => number.get(id) ?? t.older },
            { title: t.state, dataIndex: 'state', render: (s: string) => <Tag color={colors[s] ?? 'default'}>{t.states[s] ?? s}</Tag> },
            { title: t.answer, key: 'answer', render: (_, d) => [d.code, d.message].filter(Boolean).join(' · ') || '—' },
            { title: t.pushedAt, dataIndex: 'pushedAt', render: (at: string) => <When at={at} /> },
            { title: t.answeredAt, dataIndex: 'answeredAt', render: (at?: string) => <When at={at} /> },
          ]}
        />
        {found.hasNextPage && <Button loading={found.isFetchingNextPage} onClick={() => found.fetchNextPage()} style={{ alignSelf: 'center' }}>{t.more}</Button>}
      </Flex>
    </Card>
  )
}
