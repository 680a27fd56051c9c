import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Flex, Skeleton, Space, Switch, Table, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../../api/client'
import { may, useMe } from '../../../app/session'
import { useLanguage, useTexts } from '../../../i18n/texts'
import { Editor } from '../../../parts/Editor'
import { mistakeIn } from '../../../parts/json'
import { Refused } from '../../../parts/Refused'
import { readableSize } from '../../../parts/size'
import { Trouble } from '../../../parts/Trouble'
import { useUnsaved } from '../../../parts/Unsaved'
import { When } from '../../../parts/When'
import { Deliveries } from './Deliveries'
import { Push } from './Push'
import { configTexts } from './texts'

const most = 64 << 10

const first = '{\n  \n}\n'

// contentOf reads the file of a version as it was written; 0 is the newest.
async function contentOf(product: string, version: number): Promise<string> {
  return (await must(api.GET('/api/v1/products/{product}/config/content', { params: { path: { product }, query: version ? { version } : {} }, parseAs: 'text' }))) as unknown as string
}

// Config is the remote configuration of a product: the file, its versions, and
// how far it has come with the devices.
export function Config({ product: p }: { product: Schemas['Product'] }) {
  const t = useTexts(configTexts)
  const { message } = App.useApp()
  const able = may(useMe(), 'operator')
  const { language } = useLanguage()
  const cache = useQueryClient()
  const product = p.key
  const params = { path: { product } }
  const key = ['products', product, 'config']
  const view = useQuery({ queryKey: [...key, 'versions'], queryFn: () => must(api.GET('/api/v1/products/{product}/config', { params })) })
  const versions = view.data?.items ?? []
  const newest = versions[0]?.version ?? 0
  const content = useQuery({ queryKey: [...key, 'content', newest], queryFn: () => (newest ? contentOf(product, newest) : first), enabled: view.isSuccess })
  const [edited, setEdited] = useState<string>()
  const text = edited ?? content.data ?? ''
  const unsaved = edited !== undefined && edited !== content.data
  useUnsaved(unsaved)
  const bytes = new TextEncoder().encode(text).length
  const mistake = mistakeIn(text)
  const fits = !mistake && bytes <= most
  const turn = useMutation({
    mutationFn: (on: boolean) => must(api.PATCH('/api/v1/products/{product}/config', { params, body: { on } })),
    onSuccess: (now) => cache.setQueryData([...key, 'versions'], now),
  })
  const save = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/products/{product}/config', { params, body: text as never, bodySerializer: (b: unknown) => b as string, headers: { 'Content-Type': 'application/json' } })),
    onSuccess: async (v) => {
      cache.setQueryData([...key, 'content', v.version], text)
      await cache.invalidateQueries({ queryKey: [...key, 'versions'] })
      setEdited(undefined)
      message.success(t.saved(v.version))
    },
  })
  const load = useMutation({
    mutationFn: async (n: number) => ({ n, text: await contentOf(product, n) }),
    onSuccess: (got) => {
      setEdited(got.text)
      message.info(t.loaded(got.n))
    },
  })
  if (view.isPending) return <Skeleton active />
  return (
    <Flex vertical gap={16}>
      <Typography.Text type="secondary">{t.about}</Typography.Text>
      <Trouble error={view.error ?? content.error} again={() => Promise.all([view.refetch(), content.refetch()])} />
      <Flex gap={12} align="center">
        <Tooltip title={able ? undefined : t.role}>
          <Switch aria-label={t.on} checked={view.data?.on ?? false} disabled={!able} loading={turn.isPending} onChange={(on) => turn.mutate(on)} />
        </Tooltip>
        <Flex vertical>
          <span>{t.on}</span>
          <Typography.Text type="secondary">{t.onHelp}</Typography.Text>
        </Flex>
      </Flex>
      <Refused error={turn.error ?? load.error} />
      <Card size="small" title={<Space wrap>{t.file}{newest > 0 && <Tag>{t.versionOf(newest)}</Tag>}{unsaved && <Tag color="orange">{t.editing}</Tag>}</Space>}>
        <Flex vertical gap={8}>
          <Editor label={t.file} value={text} change={able ? setEdited : undefined} mark={mistake?.line} rows={14} />
          <Flex justify="space-between" gap={12} wrap>
            <Typography.Text type={mistake ? 'danger' : 'success'}>{mistake ? t.badJson([mistake.line && t.at(mistake.line), language === 'en' && mistake.why].filter(Boolean).join(', ')) : t.good}</Typography.Text>
            <Typography.Text type={bytes > most ? 'danger' : 'secondary'}>{bytes > most ? t.tooLong : t.bytes(readableSize(bytes))}</Typography.Text>
          </Flex>
          <Flex gap={8} wrap>
            <Tooltip title={able ? undefined : t.role}>
              <Button type="primary" disabled={!able || !fits || !unsaved} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</Button>
            </Tooltip>
            {able && <Button disabled={!!mistake} onClick={() => setEdited(JSON.stringify(JSON.parse(text), null, 2) + '\n')}>{t.format}</Button>}
            {unsaved && <Button onClick={() => setEdited(undefined)}>{t.back}</Button>}
          </Flex>
          <Refused error={save.error} />
        </Flex>
      </Card>
      {newest === 0 ? <Alert type="info" showIcon title={t.none} /> : (
        <>
          <Push product={p} newest={newest} unsaved={unsaved} able={able} on={view.data?.on ?? false} />
          <Card size="small" title={t.history} extra={<Typography.Text type="secondary">{t.kept}</Typography.Text>}>
            <Table<Schemas['Version']>
              rowKey="version"
              size="small"
              dataSource={versions}
              pagination={false}
              scroll={{ x: 'max-content' }}
              columns={[
                { title: t.version, dataIndex: 'version', render: (n: number) => <Space>{n}{n === newest && <Tag color="success">{t.current}</Tag>}</Space> },
                { title: t.size, dataIndex: 'size', align: 'end', render: readableSize },
                { title: t.digest, dataIndex: 'sha256', render: (d: string) => <Tooltip title={d}><span className="mono">{d.slice(0, 12)}…</span></Tooltip> },
                { title: t.made, dataIndex: 'createdAt', render: (at: string) => <When at={at} /> },
                {
                  key: 'do', align: 'end', render: (_, v) => (
                    <Space>
                      <Button size="small" aria-label={`${t.load} ${v.version}`} onClick={() => load.mutate(v.version)}>{t.load}</Button>
                      <Button size="small" href={`/api/v1/products/${encodeURIComponent(product)}/config/content?version=${v.version}`} download>{t.download}</Button>
                    </Space>
                  ),
                },
              ]}
            />
          </Card>
          <Deliveries product={product} versions={versions} />
        </>
      )}
    </Flex>
  )
}
