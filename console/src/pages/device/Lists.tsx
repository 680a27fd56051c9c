import { useQuery } from '@tanstack/react-query'
import { Button, Empty, Flex, Table, Tooltip, Typography } from 'antd'
import { Link, useNavigate } from 'react-router'
import { api, must } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { DeviceState } from '../../parts/DeviceState'
import { Moment } from '../../parts/Moment'
import { readableSize } from '../../parts/size'
import { Trouble } from '../../parts/Trouble'
import { keyOf, type Id } from './data'
import { deviceTexts } from './texts'

// What a device has in rows: sub-devices, versions, files.

const path = '/api/v1/products/{product}/devices/{device}'

export function SubDevices({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const subs = useQuery({
    queryKey: keyOf(id, 'subs'),
    refetchInterval: 5000,
    queryFn: async () => (await must(api.GET(`${path}/subs`, { params: { path: id, query: { limit: 200 } } }))).items ?? [],
  })
  return (
    <>
      <Trouble error={subs.error} again={subs.refetch} />
      <Table
        size="small"
        rowKey={(s) => `${s.product}/${s.device}`}
        loading={subs.isPending}
        dataSource={subs.data ?? []}
        pagination={false}
        locale={{ emptyText: subs.isSuccess ? <Empty description={t.noSubs} /> : ' ' }}
        columns={[
          { title: t.device, key: 'device', render: (_, s) => <Link to={`/devices/${encodeURIComponent(s.product)}/${encodeURIComponent(s.device)}`}>{s.device}</Link> },
          { title: t.state, key: 'state', render: (_, s) => <DeviceState state={s.state} /> },
        ]}
      />
    </>
  )
}

export function VersionsAndFiles({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const versions = useQuery({
    queryKey: keyOf(id, 'versions'),
    queryFn: async () => (await must(api.GET(`${path}/versions`, { params: { path: id } }))).items ?? [],
  })
  const files = useQuery({
    queryKey: keyOf(id, 'files'),
    queryFn: async () => (await must(api.GET(`${path}/files`, { params: { path: id } }))).items ?? [],
  })
  const able = may(useMe(), 'operator')
  const go = useNavigate()
  const base = `/api/v1/products/${encodeURIComponent(id.product)}/devices/${encodeURIComponent(id.device)}/files/`
  return (
    <Flex vertical gap={16}>
      <Flex gap={12} wrap align="center" justify="space-between">
        <Typography.Title level={4} style={{ margin: 0 }}>{t.versions}</Typography.Title>
        <Tooltip title={able ? undefined : t.operators}>
          <Button disabled={!able} onClick={() => void go(`/upgrades?product=${encodeURIComponent(id.product)}`, { state: { devices: [id.device] } })}>{t.upgrade}</Button>
        </Tooltip>
      </Flex>
      <Trouble error={versions.error ?? files.error} again={() => Promise.all([versions.refetch(), files.refetch()])} />
      <Table
        size="small"
        rowKey="module"
        loading={versions.isPending}
        dataSource={versions.data ?? []}
        pagination={false}
        locale={{ emptyText: versions.isSuccess ? t.noVersions : ' ' }}
        columns={[
          { title: t.module, dataIndex: 'module' },
          { title: t.version, dataIndex: 'version' },
          { title: t.time, key: 'time', render: (_, v) => <Moment time={v.reportedAt} /> },
        ]}
      />
      <Typography.Title level={4} style={{ margin: 0 }}>{t.files}</Typography.Title>
      <Table
        size="small"
        rowKey="uploadId"
        loading={files.isPending}
        dataSource={files.data ?? []}
        pagination={false}
        locale={{ emptyText: files.isSuccess ? t.noFiles : ' ' }}
        columns={[
          { title: t.file, key: 'name', render: (_, f) => <a href={`${base}${encodeURIComponent(f.uploadId)}/content`} download>{f.name}</a> },
          { title: t.size, key: 'size', render: (_, f) => readableSize(f.size) },
          { title: t.time, key: 'time', render: (_, f) => <Moment time={f.arrivedAt} /> },
        ]}
      />
    </Flex>
  )
}
