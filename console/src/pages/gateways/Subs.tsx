import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Modal, Popconfirm, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { useStream } from '../../api/live'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { DevicePicker } from '../../parts/DevicePicker'
import { DeviceState } from '../../parts/DeviceState'
import { PagedTable } from '../../parts/PagedTable'
import { Refused } from '../../parts/Refused'
import { useRefusal } from '../../parts/refusal'
import { When } from '../../parts/When'
import { gatewayTexts } from './texts'

type Sub = Schemas['SubDevice']

// Subs are the devices behind a gateway; states move as they change.
export function Subs({ product, device }: { product: string; device: string }) {
  const t = useTexts(gatewayTexts)
  const works = may(useMe(), 'operator')
  const cache = useQueryClient()
  const [adding, setAdding] = useState(false)
  const key = ['subs', product, device]
  const again = () => cache.invalidateQueries({ queryKey: key })
  const found = useInfiniteQuery({
    queryKey: key,
    initialPageParam: '',
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/products/{product}/devices/{device}/subs', { params: { path: { product, device }, query: { limit: 100, ...(pageParam && { after: pageParam }) } } })),
    getNextPageParam: (last) => last.next || undefined,
  })
  const subs = found.data?.pages.flatMap((p) => p.items ?? []) ?? []
  useStream('/api/v1/stream', ['status'], (_, data) => {
    const from = data as { product: string; device: string }
    if (subs.some((s) => s.product === from.product && s.device === from.device)) void again()
  })
  const remove = useMutation({
    mutationFn: (s: Sub) =>
      api.DELETE('/api/v1/products/{product}/devices/{device}/subs/{subProduct}/{subDevice}', { params: { path: { product, device, subProduct: s.product, subDevice: s.device } } }),
    onSuccess: again,
    onError: useRefusal(),
  })
  return (
    <section>
      <Flex justify="space-between" align="center" style={{ marginBottom: 8 }}>
        <Typography.Title level={4} style={{ margin: 0 }}>{t.subs}</Typography.Title>
        <Tooltip title={works ? '' : t.needRole}>
          <Button disabled={!works} onClick={() => setAdding(true)}>{t.addSub}</Button>
        </Tooltip>
      </Flex>
      <PagedTable<Sub>
        found={found}
        none={t.noSubs}
        rowKey={(s) => `${s.product}/${s.device}`}
        scroll={{ x: 'max-content' }}
        columns={[
          { title: t.device, dataIndex: 'device', render: (d: string, s) => <Link to={`/devices/${encodeURIComponent(s.product)}/${encodeURIComponent(d)}`}>{d}</Link> },
          { title: t.product, dataIndex: 'product', className: 'mono' },
          { title: t.state, dataIndex: 'state', render: (state: string) => <DeviceState state={state} /> },
          { title: t.since, dataIndex: 'since', render: (at?: string) => <When at={at} /> },
          { title: t.added, dataIndex: 'added', render: (at: string) => <When at={at} /> },
          {
            key: 'do', align: 'end', render: (_, s) => works && (
              <Popconfirm title={t.sure(s.device)} okText={t.remove} cancelText={t.cancel} okButtonProps={{ danger: true }} onConfirm={() => remove.mutate(s)}>
                <Button size="small" danger>{t.remove}</Button>
              </Popconfirm>
            ),
          },
        ]}
      />
      {adding && <Add product={product} device={device} close={() => setAdding(false)} />}
    </section>
  )
}

function Add({ product, device, close }: { product: string; device: string; close: () => void }) {
  const t = useTexts(gatewayTexts)
  const cache = useQueryClient()
  const [sub, setSub] = useState<Schemas['ID']>()
  const add = useMutation({
    mutationFn: (v: Schemas['ID']) => must(api.POST('/api/v1/products/{product}/devices/{device}/subs', { params: { path: { product, device } }, body: { devices: [v] } })),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ['subs', product, device] })
      close()
    },
  })
  return (
    <Modal open title={t.addSub} okText={t.add} cancelText={t.cancel} okButtonProps={{ disabled: !sub }} confirmLoading={add.isPending} onOk={() => sub && add.mutate(sub)} onCancel={close}>
      <Flex vertical gap={12}>
        <Typography.Text type="secondary">{t.addHint(device)}</Typography.Text>
        <DevicePicker value={sub} choose={(p, d) => { add.reset(); setSub({ product: p, device: d }) }} />
        <Refused error={add.error} />
      </Flex>
    </Modal>
  )
}
