import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Empty, Flex, Input, Segmented, Space, Table, Tag, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { appTexts } from '../../app/texts'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Trouble } from '../../parts/Trouble'
import { When } from '../../parts/When'
import { actionOf } from './actions'
import { auditTexts } from './texts'

type Entry = Schemas['AuditEntry']
type Outcome = 'all' | 'done' | 'refused'

// Page is the audit log, the newest first.
export function Page() {
  const frame = useTexts(appTexts)
  const t = useTexts(auditTexts)
  const [outcome, setOutcome] = useState<Outcome>('all')
  const [who, setWho] = useState('')
  const [object, setObject] = useState('')
  const found = useInfiniteQuery({
    queryKey: ['audit', outcome, who, object],
    initialPageParam: '',
    queryFn: ({ pageParam }) =>
      must(api.GET('/api/v1/audit', {
        params: { query: { limit: 100, ...(outcome !== 'all' && { outcome }), ...(who && { who }), ...(object && { object }), ...(pageParam && { after: pageParam }) } },
      })),
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: 15_000,
  })
  return (
    <>
      <Typography.Title level={2} style={{ marginTop: 0, marginBottom: 4 }}>{frame.audit}</Typography.Title>
      <Typography.Paragraph type="secondary">{t.intro}</Typography.Paragraph>
      <Flex gap={8} wrap style={{ marginBottom: 16 }}>
        <Segmented<Outcome> aria-label={t.outcome} value={outcome} onChange={setOutcome} options={(['all', 'done', 'refused'] as const).map((value) => ({ value, label: t[value] }))} />
        <Input.Search aria-label={t.who} placeholder={t.who} allowClear onSearch={setWho} style={{ width: 180 }} />
        <Input.Search aria-label={t.begins} placeholder={`${t.begins} /api/v1/…`} allowClear onSearch={setObject} style={{ width: 300, maxWidth: '100%' }} />
      </Flex>
      <Trouble error={found.error} again={found.refetch} />
      <Table<Entry>
        rowKey="id"
        size="small"
        loading={found.isPending}
        dataSource={found.data?.pages.flatMap((p) => p.items ?? []) ?? []}
        pagination={false}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: <Empty description={t.none} /> }}
        columns={[
          { title: t.at, dataIndex: 'at', render: (at: string) => <When at={at} /> },
          { title: t.who, dataIndex: 'who', render: (name: string | undefined, e) => (name ? <Space size={4}>{name}{!e.person && <Tag>{t.token}</Tag>}</Space> : <Typography.Text type="secondary">{t.nobody}</Typography.Text>) },
          { title: t.from, dataIndex: 'from', className: 'mono' },
          { title: t.what, key: 'what', render: (_, e) => <Action entry={e} /> },
          { title: t.outcome, key: 'outcome', render: (_, e) => <Result entry={e} /> },
        ]}
      />
      {found.hasNextPage && (
        <Flex justify="center" style={{ marginTop: 16 }}>
          <Button onClick={() => found.fetchNextPage()} loading={found.isFetchingNextPage}>{t.more}</Button>
        </Flex>
      )}
    </>
  )
}

// shown is a path without what all of them begin with, readable.
function shown(path: string) {
  const short = path.replace(/^\/api\/v1/, '')
  try {
    return decodeURIComponent(short)
  } catch {
    return short
  }
}

// Action is what was done in words, and to what.
function Action({ entry }: { entry: Entry }) {
  const { language } = useLanguage()
  const words = actionOf(entry.method, entry.route, language)
  return (
    <div style={{ maxWidth: 480, minWidth: 200 }}>
      {words && <div>{words}</div>}
      <Typography.Text {...(words ? { type: 'secondary' as const } : {})} className="mono" style={{ wordBreak: 'break-all', fontSize: 12 }}>{entry.method} {shown(entry.object)}</Typography.Text>
    </div>
  )
}

function Result({ entry }: { entry: Entry }) {
  const t = useTexts(auditTexts)
  const zh = useLanguage().language === 'zh'
  return (
    <Space size={4} wrap style={{ maxWidth: 420 }}>
      <Tag color={entry.done ? 'green' : 'red'}>{entry.done ? t.done : t.refused}</Tag>
      <span style={{ overflowWrap: 'anywhere' }}>{entry.done ? entry.subject : (zh && entry.detailZh) || entry.detail || entry.code}</span>
    </Space>
  )
}
