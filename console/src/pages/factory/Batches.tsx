import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Empty, Flex, Popconfirm, Space, Table, Tooltip } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { Trouble } from '../../parts/Trouble'
import { When } from '../../parts/When'
import { Make } from './Make'
import { factoryTexts } from './texts'

type Batch = Schemas['Batch']

// csvOf is where the devices of a batch are, with their secrets.
const csvOf = (b: Batch) => `/api/v1/products/${encodeURIComponent(b.product)}/batches/${encodeURIComponent(b.name)}/devices.csv`

export function Batches({ product, open }: { product: string; open: (name: string) => void }) {
  const t = useTexts(factoryTexts)
  const works = may(useMe(), 'operator')
  const cache = useQueryClient()
  const refuse = useRefusal()
  const { message } = App.useApp()
  const [making, setMaking] = useState(false)
  const key = ['batches', product]
  const again = () => cache.invalidateQueries({ queryKey: key })
  const found = useQuery({ queryKey: key, queryFn: () => must(api.GET('/api/v1/products/{product}/batches', { params: { path: { product }, query: { limit: 1000 } } })) })
  const change = useMutation({
    mutationFn: (v: { batch: string; enabled: boolean }) =>
      must(api.PATCH('/api/v1/products/{product}/batches/{batch}', { params: { path: { product, batch: v.batch } }, body: { enabled: v.enabled } })),
    onSuccess: (done) => {
      message.success(t.changed(done.changed))
      void again()
    },
    onError: refuse,
  })
  const remove = useMutation({
    mutationFn: (batch: string) => api.DELETE('/api/v1/products/{product}/batches/{batch}', { params: { path: { product, batch } } }),
    onSuccess: again,
    onError: refuse,
  })
  return (
    <Flex vertical gap={16}>
      <div>
        <Tooltip title={works ? '' : t.needRole}>
          <Button type="primary" disabled={!works} onClick={() => setMaking(true)}>{t.make}</Button>
        </Tooltip>
      </div>
      <Trouble error={found.error} again={found.refetch} />
      <Table<Batch>
        rowKey="name"
        loading={found.isPending}
        dataSource={found.data?.items ?? []}
        pagination={{ hideOnSinglePage: true, pageSize: 50 }}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: <Empty description={t.none} /> }}
        columns={[
          { title: t.name, dataIndex: 'name', render: (name: string) => <Button type="link" style={{ padding: 0 }} onClick={() => open(name)}>{name}</Button> },
          { title: t.count, dataIndex: 'devices', align: 'end' },
          { title: t.registered, dataIndex: 'registered', align: 'end' },
          { title: t.connected, dataIndex: 'activated', align: 'end' },
          { title: t.disabled, dataIndex: 'disabled', align: 'end' },
          { title: t.note, dataIndex: 'note' },
          { title: t.made, dataIndex: 'createdAt', render: (at: string) => <When at={at} /> },
          {
            key: 'do', align: 'end', render: (_, b) => works && (
              <Space>
                <Tooltip title={t.secretsHint}>
                  <Button size="small" href={csvOf(b)} download>{t.csv}</Button>
                </Tooltip>
                {b.devices > 0 && b.disabled === b.devices ? (
                  <Button size="small" onClick={() => change.mutate({ batch: b.name, enabled: true })}>{t.allow}</Button>
                ) : (
                  <Popconfirm title={t.sureRevoke(b.name)} okText={t.revoke} cancelText={t.cancel} okButtonProps={{ danger: true }} onConfirm={() => change.mutate({ batch: b.name, enabled: false })}>
                    <Button size="small" danger>{t.revoke}</Button>
                  </Popconfirm>
                )}
                {b.devices === 0 && (
                  <Popconfirm title={t.sureRemove(b.name)} okText={t.remove} cancelText={t.cancel} onConfirm={() => remove.mutate(b.name)}>
                    <Button size="small" danger>{t.remove}</Button>
                  </Popconfirm>
                )}
              </Space>
            ),
          },
        ]}
      />
      {making && <Make product={product} close={() => setMaking(false)} />}
    </Flex>
  )
}
