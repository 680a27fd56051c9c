import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Empty, Flex, Table, Tag, Typography } from 'antd'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { Moment } from '../../parts/Moment'
import { useRefusal } from '../../parts/refusal'
import { Trouble } from '../../parts/Trouble'
import { keyOf, say, useModel, useProduct, type Id } from './data'
import { Shadow } from './Shadow'
import { deviceTexts } from './texts'

const route = '/api/v1/products/{product}/devices/{device}/desired'

// Desired shows what is wanted of the device beside what it reports: property by
// property, and what its vendor keeps besides.
export function Desired({ id }: { id: Id }) {
  const dialect = useProduct(id.product).data?.dialect
  return (
    <Flex vertical gap={24}>
      <DesiredValues id={id} />
      {(dialect === 'aliyun' || dialect === 'onenet') && <Shadow id={id} dialect={dialect} />}
    </Flex>
  )
}

function DesiredValues({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const able = may(useMe(), 'operator')
  const cache = useQueryClient()
  const model = useModel(id.product)
  const desired = useQuery({ queryKey: keyOf(id, 'desired'), queryFn: () => must(api.GET(route, { params: { path: id } })) })
  const take = useMutation({
    mutationFn: (property: string) => api.DELETE(route, { params: { path: id, query: { property: [property] } } }),
    onSuccess: () => cache.invalidateQueries({ queryKey: keyOf(id, 'desired') }),
    onError: useRefusal(),
  })
  const property = (name: string) => model.data?.properties?.find((p) => p.id === name)
  const value = (name: string, v: unknown) => [say(v, property(name)?.type), property(name)?.type.unit].filter(Boolean).join(' ')
  return (
    <Flex vertical gap={8}>
      <Typography.Title level={4} style={{ margin: 0 }}>{t.desiredValues}</Typography.Title>
      <Typography.Text type="secondary">{t.desiredHelp}</Typography.Text>
      <Trouble error={desired.error} again={desired.refetch} />
      <Table<Schemas['Desired']>
        size="small"
        rowKey="property"
        loading={desired.isPending}
        dataSource={desired.data?.items ?? []}
        pagination={false}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: desired.isSuccess ? <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t.noDesired} /> : ' ' }}
        columns={[
          { title: t.property, key: 'property', render: (_, d) => [property(d.property)?.name, d.property].filter(Boolean).join(' · ') },
          { title: t.desiredValue, key: 'desired', render: (_, d) => <strong>{value(d.property, d.value)}</strong> },
          { title: t.reportedValue, key: 'reported', render: (_, d) => (d.reported === undefined ? '—' : value(d.property, d.reported)) },
          { title: t.state, key: 'state', render: (_, d) => <Tag color={d.matches ? 'success' : 'processing'}>{d.matches ? t.matches : t.waits}</Tag> },
          { title: t.version, dataIndex: 'version', align: 'end' },
          { title: t.setAt, key: 'time', render: (_, d) => <Moment time={d.time} /> },
          { key: 'do', align: 'end', hidden: !able, render: (_, d) => <Button size="small" aria-label={`${t.takeAway} ${d.property}`} loading={take.isPending && take.variables === d.property} onClick={() => take.mutate(d.property)}>{t.takeAway}</Button> },
        ]}
      />
    </Flex>
  )
}
