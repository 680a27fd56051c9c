import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Empty, Flex, Form, Input, Modal, Table, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { Moment } from '../../parts/Moment'
import { useRefusal } from '../../parts/refusal'
import { Trouble } from '../../parts/Trouble'
import { keyOf, say, type Id } from './data'
import { deviceTexts } from './texts'

// Kept is what a device and applications tell one another while the other is
// away: Aliyun calls it a shadow, OneNET an image.
type Kept = Pick<Schemas['ShadowView'], 'version' | 'updatedAt' | 'reported' | 'desired' | 'told' | 'why'>
type Values = { [attribute: string]: unknown }

const routes = {
  aliyun: {
    read: (id: Id): Promise<Kept> => must(api.GET('/api/v1/products/{product}/devices/{device}/shadow', { params: { path: id } })),
    change: (id: Id, desired: Values): Promise<Kept> => must(api.PATCH('/api/v1/products/{product}/devices/{device}/shadow/desired', { params: { path: id }, body: { desired } })),
  },
  onenet: {
    read: (id: Id): Promise<Kept> => must(api.GET('/api/v1/products/{product}/devices/{device}/image', { params: { path: id } })),
    change: (id: Id, desired: Values): Promise<Kept> => must(api.PATCH('/api/v1/products/{product}/devices/{device}/image', { params: { path: id }, body: { desired } })),
  },
}

export function Shadow({ id, dialect }: { id: Id; dialect: keyof typeof routes }) {
  const t = useTexts(deviceTexts)
  const able = may(useMe(), 'operator')
  const [changing, setChanging] = useState(false)
  const found = useQuery({ queryKey: keyOf(id, 'shadow'), queryFn: () => routes[dialect].read(id), refetchInterval: 5000 })
  const { reported = {}, desired = {}, version, updatedAt } = found.data ?? {}
  const rows = [...new Set([...Object.keys(reported), ...Object.keys(desired)])].sort().map((name) => ({ name, reported: reported[name], desired: desired[name] }))
  const half = (a: Schemas['Attribute'] | undefined) => a && (
    <Flex vertical>
      <span className="mono" style={{ overflowWrap: 'anywhere' }}>{say(a.value)}</span>
      <Typography.Text type="secondary" style={{ fontSize: 12 }}><Moment time={a.time} /></Typography.Text>
    </Flex>
  )
  const same = (row: (typeof rows)[number]) => JSON.stringify(row.reported?.value) === JSON.stringify(row.desired?.value)
  return (
    <Flex vertical gap={8}>
      <Flex gap={12} wrap align="center" justify="space-between">
        <Typography.Title level={4} style={{ margin: 0 }}>{t.shadows[dialect]}</Typography.Title>
        <Tooltip title={able ? undefined : t.operators}>
          <Button disabled={!able || !found.data} onClick={() => setChanging(true)}>{t.changeShadow}</Button>
        </Tooltip>
      </Flex>
      <Typography.Text type="secondary">{t.shadowHelp[dialect]}</Typography.Text>
      <Trouble error={found.error} again={found.refetch} />
      <Table
        size="small"
        rowKey="name"
        loading={found.isPending}
        dataSource={rows}
        pagination={false}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: found.isSuccess ? <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t.noShadow} /> : ' ' }}
        columns={[
          { title: t.attribute, dataIndex: 'name', render: (name: string) => <span className="mono">{name}</span> },
          { title: t.reported, key: 'reported', render: (_, r) => half(r.reported) ?? '—' },
          { title: t.wanted, key: 'desired', render: (_, r) => half(r.desired) ?? '—' },
          { title: t.state, key: 'state', render: (_, r) => (r.desired ? <Tag color={same(r) ? 'success' : 'processing'}>{same(r) ? t.matches : t.waits}</Tag> : '—') },
        ]}
      />
      {updatedAt && <Typography.Text type="secondary">{t.version} {version} · <Moment time={updatedAt} /></Typography.Text>}
      {changing && <Change id={id} dialect={dialect} desired={desired} close={() => setChanging(false)} />}
    </Flex>
  )
}

// objectIn is what a text says that is a JSON object with something in it.
function objectIn(text: string): Values | undefined {
  try {
    const v: unknown = JSON.parse(text)
    return typeof v === 'object' && v !== null && !Array.isArray(v) && Object.keys(v).length > 0 ? (v as Values) : undefined
  } catch {
    return undefined
  }
}

function Change({ id, dialect, desired, close }: { id: Id; dialect: keyof typeof routes; desired: Kept['desired']; close: () => void }) {
  const t = useTexts(deviceTexts)
  const { message } = App.useApp()
  const cache = useQueryClient()
  const [form] = Form.useForm<{ desired: string }>()
  const [first] = useState(() => JSON.stringify(Object.fromEntries(Object.entries(desired).map(([name, a]) => [name, a.value])), null, 2))
  const save = useMutation({
    mutationFn: (values: Values) => routes[dialect].change(id, values),
    onSuccess: (now) => {
      cache.setQueryData(keyOf(id, 'shadow'), now)
      message.success(t.told[now.told ?? ''] ?? now.why ?? t.toldOff)
      close()
    },
    onError: useRefusal(form),
  })
  return (
    <Modal open title={t.changeShadow} okText={t.set} cancelText={t.cancel} confirmLoading={save.isPending} onOk={() => form.submit()} onCancel={close}>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={{ desired: first }} onFinish={(v) => save.mutate(objectIn(v.desired)!)}>
        <Form.Item name="desired" label={t.wanted} extra={t.shadowForm} rules={[{ validator: (_, v: string) => (objectIn(v) ? Promise.resolve() : Promise.reject(new Error(t.needsObject))) }]}>
          <Input.TextArea className="mono" autoFocus spellCheck={false} autoSize={{ minRows: 6, maxRows: 18 }} />
        </Form.Item>
      </Form>
    </Modal>
  )
}
