import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Flex, Grid, Table, Tag, Typography } from 'antd'
import { useState, type ReactNode } from 'react'
import { Link } from 'react-router'
import { api, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { DeviceState } from '../../parts/DeviceState'
import { Moment } from '../../parts/Moment'
import { problemText } from '../../parts/problem'
import { devicesTexts } from './texts'

type Device = Schemas['Device']
type Props = { devices: Device[]; products: Schemas['Product'][]; loading: boolean; working: boolean; empty: ReactNode }

const keyOf = (d: Device) => `${d.product}/${d.name}`

// List shows a page of devices; those chosen can be changed together.
export function List({ devices, products, loading, working, empty }: Props) {
  const t = useTexts(devicesTexts)
  const wide = Grid.useBreakpoint().md ?? true
  const { modal, message } = App.useApp()
  const cache = useQueryClient()
  const [chosen, setChosen] = useState<Device[]>([])
  const act = useMutation({
    mutationFn: async (what: 'enable' | 'disable' | 'delete') => {
      for (const d of chosen) {
        const params = { path: { product: d.product, device: d.name } }
        if (what === 'delete') await api.DELETE('/api/v1/products/{product}/devices/{device}', { params })
        else await api.PATCH('/api/v1/products/{product}/devices/{device}', { params, body: { enabled: what === 'enable' } })
      }
    },
    onSuccess: () => {
      void message.success(t.done(chosen.length))
      setChosen([])
    },
    onError: (e) => void message.error(problemText(e)),
    onSettled: () => cache.invalidateQueries({ queryKey: ['devices'] }),
  })
  const ask = (what: 'disable' | 'delete') =>
    modal.confirm({
      title: what === 'delete' ? t.sureDelete(chosen.length) : t.sureDisable(chosen.length),
      okText: t[what],
      okButtonProps: { danger: true },
      cancelText: t.cancel,
      onOk: () => act.mutateAsync(what).catch(() => undefined),
    })
  const names = new Map(products.map((p) => [p.key, p.name]))
  const link = (d: Device) => <Link to={`/devices/${encodeURIComponent(d.product)}/${encodeURIComponent(d.name)}`}>{d.name}</Link>
  return (
    <>
      {chosen.length > 0 && (
        <Flex align="center" gap={8} wrap>
          <Typography.Text>{t.chosen(chosen.length)}</Typography.Text>
          <Button loading={act.isPending} onClick={() => act.mutate('enable')}>{t.enable}</Button>
          <Button onClick={() => ask('disable')}>{t.disable}</Button>
          <Button danger onClick={() => ask('delete')}>{t.delete}</Button>
        </Flex>
      )}
      <Table<Device>
        rowKey={keyOf}
        size="middle"
        dataSource={devices}
        loading={loading}
        pagination={false}
        locale={{ emptyText: loading ? ' ' : empty }}
        {...(working ? { rowSelection: { selectedRowKeys: chosen.map(keyOf), onChange: (_: unknown, rows: Device[]) => setChosen(rows) } } : {})}
        columns={[
          {
            title: t.name,
            key: 'name',
            render: (_, d) => (
              <Flex vertical style={{ wordBreak: 'break-all' }}>
                {link(d)}
                {!wide && <Typography.Text type="secondary">{names.get(d.product) ?? d.product}</Typography.Text>}
              </Flex>
            ),
          },
          { title: t.nickname, dataIndex: 'nickname', responsive: ['lg'] },
          { title: t.product, key: 'product', responsive: ['md'], render: (_, d) => names.get(d.product) ?? d.product },
          { title: t.state, key: 'state', width: 130, render: (_, d) => <DeviceState state={d.state} /> },
          { title: t.since, key: 'since', responsive: ['lg'], width: 200, render: (_, d) => <Moment time={d.since} /> },
          {
            title: t.tags,
            key: 'tags',
            responsive: ['md'],
            render: (_, d) => (
              <Flex gap={4} wrap>
                {Object.entries(d.tags ?? {}).map(([k, v]) => (
                  <Tag key={k}>{v ? `${k}=${v}` : k}</Tag>
                ))}
              </Flex>
            ),
          },
        ]}
      />
    </>
  )
}
