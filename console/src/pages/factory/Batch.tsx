import { ArrowLeftOutlined } from '@ant-design/icons'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Form, Input, Modal, Table, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { Trouble } from '../../parts/Trouble'
import { When } from '../../parts/When'
import { factoryTexts } from './texts'

type Device = Schemas['BatchDevice']

// Batch is the devices of one: who registered and connected when.
export function Batch({ product, batch, back }: { product: string; batch: string; back: () => void }) {
  const t = useTexts(factoryTexts)
  const works = may(useMe(), 'operator')
  const cache = useQueryClient()
  const [binding, setBinding] = useState<string | null>(null)
  const key = ['batches', product, batch]
  const again = () => cache.invalidateQueries({ queryKey: key })
  const found = useInfiniteQuery({
    queryKey: key,
    initialPageParam: '',
    queryFn: ({ pageParam }) =>
      must(api.GET('/api/v1/products/{product}/batches/{batch}/devices', { params: { path: { product, batch }, query: { limit: 100, ...(pageParam && { after: pageParam }) } } })),
    getNextPageParam: (last) => last.next || undefined,
  })
  const unbind = useMutation({
    mutationFn: (device: string) => must(api.DELETE('/api/v1/products/{product}/devices/{device}/certificate', { params: { path: { product, device } } })),
    onSuccess: again,
    onError: useRefusal(),
  })
  return (
    <Flex vertical gap={16}>
      <Flex gap={12} align="center" wrap>
        <Button icon={<ArrowLeftOutlined />} onClick={back}>{t.back}</Button>
        <Typography.Title level={3} style={{ margin: 0 }}>{batch}</Typography.Title>
      </Flex>
      <Trouble error={found.error} again={found.refetch} />
      <Table<Device>
        rowKey="name"
        size="small"
        loading={found.isPending}
        dataSource={found.data?.pages.flatMap((p) => p.items ?? []) ?? []}
        pagination={false}
        scroll={{ x: 'max-content' }}
        columns={[
          { title: t.device, dataIndex: 'name', render: (d: string) => <Link to={`/devices/${encodeURIComponent(product)}/${encodeURIComponent(d)}`}>{d}</Link> },
          { title: t.state, dataIndex: 'enabled', render: (on: boolean) => <Tag color={on ? 'green' : 'red'}>{on ? t.enabled : t.off}</Tag> },
          { title: t.registeredAt, dataIndex: 'registeredAt', render: (at?: string) => <When at={at} /> },
          { title: t.road, dataIndex: 'road' },
          { title: t.connectedAt, dataIndex: 'activatedAt', render: (at?: string) => (at ? <When at={at} /> : <Typography.Text type="secondary">{t.never}</Typography.Text>) },
          {
            title: t.certificate, dataIndex: 'certificate', render: (print: string | undefined, d) => print ? (
              <Flex gap={8} align="center">
                <Tooltip title={print}><span className="mono">{print.slice(0, 12)}…</span></Tooltip>
                {works && <Button size="small" danger onClick={() => unbind.mutate(d.name)}>{t.unbind}</Button>}
              </Flex>
            ) : works ? <Button size="small" onClick={() => setBinding(d.name)}>{t.bind}</Button> : '—',
          },
        ]}
      />
      {found.hasNextPage && <Button onClick={() => found.fetchNextPage()} loading={found.isFetchingNextPage}>{t.more}</Button>}
      {binding && <Bind product={product} device={binding} close={() => { setBinding(null); void again() }} />}
    </Flex>
  )
}

function Bind({ product, device, close }: { product: string; device: string; close: () => void }) {
  const t = useTexts(factoryTexts)
  const [form] = Form.useForm<{ certificate: string }>()
  const bind = useMutation({
    mutationFn: (v: { certificate: string }) => must(api.PUT('/api/v1/products/{product}/devices/{device}/certificate', { params: { path: { product, device } }, body: v })),
    onSuccess: close,
    onError: useRefusal(form),
  })
  return (
    <Modal open title={t.bindTitle(device)} okText={t.bind} cancelText={t.cancel} confirmLoading={bind.isPending} onOk={() => form.submit()} onCancel={close}>
      <Form form={form} layout="vertical" onFinish={(v) => bind.mutate(v)}>
        <Form.Item name="certificate" label={t.certificate} extra={t.bindHint} rules={[{ required: true }]}>
          <Input.TextArea className="mono" autoSize={{ minRows: 4, maxRows: 12 }} placeholder="-----BEGIN CERTIFICATE-----" />
        </Form.Item>
      </Form>
    </Modal>
  )
}
