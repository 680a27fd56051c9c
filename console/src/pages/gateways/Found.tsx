import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Empty, Table, Typography } from 'antd'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { Trouble } from '../../parts/Trouble'
import { When } from '../../parts/When'
import { gatewayTexts } from './texts'

type Sub = Schemas['FoundSub']

// Found are the devices that a gateway sees and that are not its own yet.
export function Found({ product, device }: { product: string; device: string }) {
  const t = useTexts(gatewayTexts)
  const works = may(useMe(), 'operator')
  const cache = useQueryClient()
  const { message } = App.useApp()
  const path = { product, device }
  const found = useQuery({
    queryKey: ['found', product, device],
    queryFn: () => must(api.GET('/api/v1/products/{product}/devices/{device}/subs-found', { params: { path } })),
    refetchInterval: 5000,
  })
  const ask = useMutation({
    mutationFn: (s: Sub) => must(api.POST('/api/v1/products/{product}/devices/{device}/subs-ask', { params: { path }, body: { devices: [{ product: s.product, device: s.device }] } })),
    onSuccess: (told) => {
      message.info(told.outcome === 'delivered' ? t.delivered : t.queued)
      void cache.invalidateQueries({ queryKey: ['found', product, device] })
      void cache.invalidateQueries({ queryKey: ['subs', product, device] })
    },
    onError: useRefusal(),
  })
  return (
    <section>
      <Typography.Title level={4} style={{ marginTop: 0 }}>{t.found}</Typography.Title>
      <Trouble error={found.error} again={found.refetch} />
      <Table<Sub>
        rowKey={(s) => `${s.product}/${s.device}`}
        loading={found.isPending}
        dataSource={found.data?.items ?? []}
        pagination={{ hideOnSinglePage: true, pageSize: 20 }}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t.noFound} /> }}
        columns={[
          { title: t.device, dataIndex: 'device' },
          { title: t.product, dataIndex: 'product', className: 'mono' },
          { title: t.foundAt, dataIndex: 'at', render: (at: string) => <When at={at} /> },
          { key: 'do', align: 'end', render: (_, s) => works && <Button size="small" type="primary" ghost onClick={() => ask.mutate(s)}>{t.ask}</Button> },
        ]}
      />
    </section>
  )
}
