import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Empty, Flex, Popconfirm, Space, Table, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { Trouble } from '../../parts/Trouble'
import { When } from '../../parts/When'
import { readableSize } from '../../parts/size'
import { upgradeTexts } from './texts'
import { Upload } from './Upload'

type Package = Schemas['Package']

export function Packages({ product, start }: { product: string; start: (p: Package) => void }) {
  const t = useTexts(upgradeTexts)
  const works = may(useMe(), 'operator')
  const cache = useQueryClient()
  const [uploading, setUploading] = useState(false)
  const key = ['packages', product]
  const found = useQuery({ queryKey: key, queryFn: () => must(api.GET('/api/v1/products/{product}/ota/packages', { params: { path: { product }, query: { limit: 1000 } } })) })
  const remove = useMutation({
    mutationFn: (id: string) => api.DELETE('/api/v1/products/{product}/ota/packages/{package}', { params: { path: { product, package: id } } }),
    onSuccess: () => cache.invalidateQueries({ queryKey: key }),
    onError: useRefusal(),
  })
  return (
    <Flex vertical gap={16}>
      <div>
        <Tooltip title={works ? '' : t.needRole}>
          <Button type="primary" disabled={!works} onClick={() => setUploading(true)}>{t.upload}</Button>
        </Tooltip>
      </div>
      <Trouble error={found.error} again={found.refetch} />
      <Table<Package>
        rowKey="id"
        loading={found.isPending}
        dataSource={found.data?.items ?? []}
        pagination={{ hideOnSinglePage: true, pageSize: 50 }}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: <Empty description={t.noPackages} /> }}
        columns={[
          { title: t.version, dataIndex: 'version', render: (v: string, p) => <span>{p.source ? `${p.source} → ${v}` : v}</span> },
          { title: t.module, dataIndex: 'module' },
          { title: t.size, key: 'size', align: 'end', render: (_, p) => readableSize((p.files ?? []).reduce((n, f) => n + f.size, 0)) },
          { title: t.digest, key: 'digest', render: (_, p) => (p.files ?? []).map((f) => <Digest key={f.name} method={p.method} file={f} />) },
          { title: t.desc, dataIndex: 'desc', render: (d?: string) => <span style={{ display: 'inline-block', maxWidth: 260, whiteSpace: 'normal' }}>{d}</span> },
          { title: t.made, dataIndex: 'createdAt', render: (at: string) => <When at={at} /> },
          {
            key: 'do', align: 'end', render: (_, p) => works && (
              <Space>
                <Button size="small" type="primary" ghost onClick={() => start(p)}>{t.start}</Button>
                <Popconfirm title={t.sure(p.version)} okText={t.remove} cancelText={t.cancel} okButtonProps={{ danger: true }} onConfirm={() => remove.mutate(p.id)}>
                  <Button size="small" danger>{t.remove}</Button>
                </Popconfirm>
              </Space>
            ),
          },
        ]}
      />
      {uploading && <Upload product={product} close={() => setUploading(false)} />}
    </Flex>
  )
}

// Digest is by what devices check a file, short; hovered over it is whole, and
// it is copied whole.
function Digest({ method, file }: { method: string; file: Schemas['File'] }) {
  const whole = method === 'sha256' ? file.sha256 : file.md5
  return (
    <Flex gap={4} align="center" title={`${file.name} · ${whole}`} style={{ whiteSpace: 'nowrap' }}>
      {method === 'sha256' ? 'SHA-256' : 'MD5'}
      <Typography.Text className="mono" copyable={{ text: whole }}>{whole.slice(0, 12)}…</Typography.Text>
    </Flex>
  )
}
