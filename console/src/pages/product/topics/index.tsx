import { PlusOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Empty, Flex, Space, Table, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../../api/client'
import { may, useMe } from '../../../app/session'
import { useTexts } from '../../../i18n/texts'
import { Ask } from '../../../parts/Ask'
import { Trouble } from '../../../parts/Trouble'
import { When } from '../../../parts/When'
import { Declare, wholeTopic } from './Declare'
import { topicTexts } from './texts'

type Class = Schemas['Class']

const colors: Record<string, string> = { publish: 'processing', subscribe: 'success', both: 'purple' }

// Topics are the classes of custom topics of a product.
export function Topics({ product }: { product: string }) {
  const t = useTexts(topicTexts)
  const able = may(useMe(), 'operator')
  const cache = useQueryClient()
  const [declaring, setDeclaring] = useState<Class | 'new' | null>(null)
  const [leaving, setLeaving] = useState<Class | null>(null)
  const key = ['products', product, 'topics']
  const found = useQuery({ queryKey: key, queryFn: async () => (await must(api.GET('/api/v1/products/{product}/topics', { params: { path: { product } } }))).items ?? [] })
  const rows = found.data ?? []
  return (
    <Flex vertical gap={12}>
      <Typography.Text type="secondary">{t.about}</Typography.Text>
      <Flex gap={12} align="center" wrap>
        <Tooltip title={able ? undefined : t.role}>
          <Button type="primary" icon={<PlusOutlined aria-hidden />} disabled={!able} onClick={() => setDeclaring('new')}>{t.add}</Button>
        </Tooltip>
        <Typography.Text type="secondary">{t.count(rows.filter((c) => !c.usual).length)}</Typography.Text>
      </Flex>
      <Trouble error={found.error} again={found.refetch} />
      <Table<Class>
        rowKey="path"
        size="middle"
        loading={found.isPending}
        dataSource={rows}
        pagination={false}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: <Empty description={t.none} /> }}
        columns={[
          {
            title: t.topic, key: 'topic', render: (_, c) => (
              <Flex vertical>
                <span className="mono">{c.path} {c.usual && <Tooltip title={t.usualHelp}><Tag tabIndex={0}>{t.usual}</Tag></Tooltip>}</span>
                <Typography.Text className="mono" type="secondary" copyable={{ text: wholeTopic(product, c.path) }} style={{ fontSize: 12, overflowWrap: 'anywhere' }}>{wholeTopic(product, c.path)}</Typography.Text>
                {c.desc && <Typography.Text type="secondary">{c.desc}</Typography.Text>}
              </Flex>
            ),
          },
          { title: t.may, dataIndex: 'permission', width: 190, render: (p: string) => <Tag color={colors[p] ?? 'default'}>{t.permissions[p] ?? p}</Tag> },
          { title: t.made, dataIndex: 'createdAt', width: 190, responsive: ['md'], render: (at: string | undefined, c) => (c.usual ? '—' : <When at={at} />) },
          {
            key: 'do', align: 'end', width: 160, render: (_, c) => able && (
              <Space>
                <Button size="small" aria-label={`${t.edit} ${c.path}`} onClick={() => setDeclaring(c)}>{t.edit}</Button>
                {!c.usual && <Button size="small" danger aria-label={`${t.remove} ${c.path}`} onClick={() => setLeaving(c)}>{t.remove}</Button>}
              </Space>
            ),
          },
        ]}
      />
      {declaring && <Declare product={product} known={declaring === 'new' ? null : declaring} close={() => setDeclaring(null)} />}
      {leaving && (
        <Ask
          title={t.removeTitle(leaving.path)}
          consequences={[t.removeWhat, t.removeUsual]}
          action={t.remove}
          close={() => setLeaving(null)}
          act={async () => {
            await api.DELETE('/api/v1/products/{product}/topics', { params: { path: { product }, query: { path: leaving.path } } })
            await cache.invalidateQueries({ queryKey: key })
            return null
          }}
        />
      )}
    </Flex>
  )
}
