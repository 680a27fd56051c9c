import { ArrowLeftOutlined } from '@ant-design/icons'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Descriptions, Flex, Popconfirm, Progress, Select, Skeleton, Space, Table, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useLanguage, useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { Trouble } from '../../parts/Trouble'
import { When } from '../../parts/When'
import { Bar, State } from './Bar'
import { every, over } from './Jobs'
import { upgradeTexts } from './texts'

type Task = Schemas['Task']
type Action = 'confirm' | 'retry' | 'cancel'

const states = ['CONFIRM', 'QUEUED', 'NOTIFIED', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'CANCELED']

// actions are what can be done about the upgrade of a device in a state.
const actions: Record<string, Action[]> = {
  CONFIRM: ['confirm', 'cancel'], QUEUED: ['cancel'], NOTIFIED: ['cancel'], IN_PROGRESS: ['cancel'], FAILED: ['retry'], TIMED_OUT: ['retry'], CANCELED: ['retry'],
}

// Job is one job and how far each of its devices is, as it happens.
export function Job({ product, job, back }: { product: string; job: string; back: () => void }) {
  const t = useTexts(upgradeTexts)
  const { language } = useLanguage()
  const works = may(useMe(), 'operator')
  const cache = useQueryClient()
  const refuse = useRefusal()
  const [state, setState] = useState('')
  const path = { product, job }
  const shown = useQuery({
    queryKey: ['jobs', product, job],
    queryFn: () => must(api.GET('/api/v1/products/{product}/ota/jobs/{job}', { params: { path } })),
    refetchInterval: (q) => (over(q.state.data?.state) ? false : every),
  })
  const tasks = useInfiniteQuery({
    queryKey: ['jobs', product, job, 'devices', state],
    initialPageParam: '',
    queryFn: ({ pageParam }) =>
      must(api.GET('/api/v1/products/{product}/ota/jobs/{job}/devices', { params: { path, query: { limit: 100, ...(state && { state }), ...(pageParam && { after: pageParam }) } } })),
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: over(shown.data?.state) ? false : every,
  })
  const again = () => cache.invalidateQueries({ queryKey: ['jobs', product] })
  const cancel = useMutation({
    mutationFn: () => must(api.POST('/api/v1/products/{product}/ota/jobs/{job}/cancel', { params: { path } })),
    onSuccess: again,
    onError: refuse,
  })
  const act = useMutation({
    mutationFn: (v: { device: string; action: Action }) =>
      must(api.POST('/api/v1/products/{product}/ota/jobs/{job}/devices/{device}/{action}', { params: { path: { ...path, ...v } } })),
    onSuccess: again,
    onError: refuse,
  })
  const label = { confirm: t.actConfirm, retry: t.actRetry, cancel: t.actCancel }
  const j = shown.data
  return (
    <Flex vertical gap={16}>
      <Flex justify="space-between" gap={8} wrap>
        <Button icon={<ArrowLeftOutlined />} onClick={back}>{t.back}</Button>
        {works && j && !over(j.state) && (
          <Popconfirm title={t.sureJob} okText={t.cancelJob} cancelText={t.keep} okButtonProps={{ danger: true }} onConfirm={() => cancel.mutate()}>
            <Button danger>{t.cancelJob}</Button>
          </Popconfirm>
        )}
      </Flex>
      <Trouble error={shown.error ?? tasks.error} again={() => Promise.all([shown.refetch(), tasks.refetch()])} />
      {!j ? shown.isPending && <Skeleton active /> : (
        <>
          <Descriptions size="small" column={{ xs: 1, md: 3 }} items={[
            { key: 'id', label: t.job, children: <span className="mono">{j.id}</span> },
            { key: 'version', label: t.version, children: `${j.version} (${j.module})` },
            { key: 'state', label: t.state, children: <State state={j.state} /> },
            { key: 'made', label: t.made, children: <When at={j.createdAt} /> },
            { key: 'fetch', label: t.protocol, children: j.protocol === 'mqtt' ? t.mqtt : t.http },
            { key: 'devices', label: t.devices, children: j.selected },
          ]} />
          <Bar states={j.states} />
          {(j.notes ?? []).map((n) => <Alert key={n.code} type="info" showIcon title={language === 'zh' ? n.sentenceZh : n.sentence} />)}
        </>
      )}
      <Select aria-label={t.state} value={state} onChange={setState} style={{ width: 180 }} options={[{ value: '', label: t.anyState }, ...states.map((value) => ({ value, label: t.states[value] }))]} />
      <Table<Task>
        rowKey="id"
        size="small"
        loading={tasks.isPending}
        dataSource={tasks.data?.pages.flatMap((p) => p.items ?? []) ?? []}
        pagination={false}
        scroll={{ x: 'max-content' }}
        columns={[
          { title: t.device, dataIndex: 'device', render: (d: string) => <Link to={`/devices/${encodeURIComponent(product)}/${encodeURIComponent(d)}`}>{d}</Link> },
          { title: t.version, key: 'version', render: (_, k) => `${k.source || '?'} → ${k.version}` },
          { title: t.state, dataIndex: 'state', render: (s: string) => <State state={s} /> },
          { title: t.progress, dataIndex: 'percent', render: (n: number, k) => <Progress percent={k.state === 'SUCCEEDED' ? 100 : Math.max(0, n)} size="small" style={{ width: 120 }} {...(k.state === 'FAILED' || k.state === 'TIMED_OUT' ? { status: 'exception' as const } : {})} /> },
          { title: t.why, key: 'why', render: (_, k) => <Typography.Text style={{ display: 'inline-block', maxWidth: 320, whiteSpace: 'normal' }}>{(language === 'zh' && k.descZh) || k.desc}</Typography.Text> },
          { title: t.updated, dataIndex: 'updatedAt', render: (at: string) => <When at={at} /> },
          {
            key: 'do', align: 'end', render: (_, k) => works && (
              <Space>
                {(actions[k.state] ?? []).map((action) => (
                  <Button key={action} size="small" danger={action === 'cancel'} onClick={() => act.mutate({ device: k.device, action })}>{label[action]}</Button>
                ))}
              </Space>
            ),
          },
        ]}
      />
      {tasks.hasNextPage && <Button onClick={() => tasks.fetchNextPage()} loading={tasks.isFetchingNextPage}>{t.next}</Button>}
    </Flex>
  )
}
