import { Flex, Grid, Table, Tag, Typography } from 'antd'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import type { Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { DeviceState } from '../../parts/DeviceState'
import { Moment } from '../../parts/Moment'
import { keyOf, type Choice, type Device } from './data'
import { devicesTexts } from './texts'

type Props = {
  devices: Device[]
  products: Schemas['Product'][]
  loading: boolean
  choice: Choice | null
  choose: (c: Choice) => void
  empty: ReactNode
}

// List shows a page of devices; choice is null for who may not change them.
export function List({ devices, products, loading, choice, choose, empty }: Props) {
  const t = useTexts(devicesTexts)
  const wide = Grid.useBreakpoint().md ?? true
  const names = new Map(products.map((p) => [p.key, p.name]))
  const link = (d: Device) => <Link to={`/devices/${encodeURIComponent(d.product)}/${encodeURIComponent(d.name)}`}>{d.name}</Link>
  const pick = (keys: React.Key[]) => {
    const kept = new Map(choice?.all ? devices.map((d) => [keyOf(d), d]) : choice?.devices)
    for (const d of devices) {
      if (keys.includes(keyOf(d))) kept.set(keyOf(d), d)
      else kept.delete(keyOf(d))
    }
    choose({ devices: kept, all: false })
  }
  return (
    <Table<Device>
      rowKey={keyOf}
      size="middle"
      dataSource={devices}
      loading={{ spinning: loading, delay: 150 }}
      pagination={false}
      locale={{ emptyText: loading ? ' ' : empty }}
      {...(choice ? { rowSelection: { selectedRowKeys: choice.all ? devices.map(keyOf) : [...choice.devices.keys()], preserveSelectedRowKeys: true, onChange: pick } } : {})}
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
  )
}
