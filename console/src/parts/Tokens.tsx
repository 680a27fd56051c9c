import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Empty, Flex, Form, Input, Modal, Popconfirm, Select, Table, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../api/client'
import { may, useMe } from '../app/session'
import { texts, useTexts } from '../i18n/texts'
import { useRefusal } from './refusal'
import { Trouble } from './Trouble'
import { When } from './When'
import { roles, useRoles, type Role } from './roles'

type Token = Schemas['Token']

const tokenTexts = texts(
  {
    made: 'Made', owner: 'Owner', house: 'This server', expires: 'Expires', used: 'Last used', never: 'Never',
    addToken: 'Make token', remove: 'Delete', cancel: 'Cancel', sureToken: (name: string) => `Delete the token “${name}”? What uses it is refused at once.`,
    tokenFor: 'What is it for?', tokenForHint: 'Such as: the dashboard in the hall', life: 'Good for', day: 'one day', month: '30 days', year: 'one year', ever: 'ever',
    onceTitle: 'Copy the token now', once: 'It is shown this once. Nobody can read it again, only delete it.', copied: 'I have copied it',
    noTokens: 'No access tokens. A program that uses the REST interface needs one.',
  },
  {
    made: '创建时间', owner: '所有者', house: '本服务器', expires: '过期时间', used: '最近使用', never: '永不',
    addToken: '新建令牌', remove: '删除', cancel: '取消', sureToken: (name) => `确定删除令牌“${name}”？使用它的程序会立即被拒绝。`,
    tokenFor: '用途', tokenForHint: '例如：大厅看板', life: '有效期', day: '1 天', month: '30 天', year: '1 年', ever: '永久',
    onceTitle: '请立即复制令牌', once: '令牌只显示这一次，之后无法再次查看，只能删除。', copied: '我已复制',
    noTokens: '还没有访问令牌。程序调用 REST 接口时需要令牌。',
  },
)

// Tokens let programs in: one's own, or all that one may see.
export function Tokens({ mine = false }: { mine?: boolean }) {
  const words = useRoles()
  const me = useMe()
  const t = useTexts(tokenTexts)
  const cache = useQueryClient()
  const refuse = useRefusal()
  const [making, setMaking] = useState(false)
  const [secret, setSecret] = useState('')
  const found = useQuery({ queryKey: ['tokens'], queryFn: () => must(api.GET('/api/v1/tokens')) })
  const again = () => cache.invalidateQueries({ queryKey: ['tokens'] })
  const remove = useMutation({
    mutationFn: (id: string) => api.DELETE('/api/v1/tokens/{id}', { params: { path: { id } } }),
    onSuccess: again,
    onError: refuse,
  })
  return (
    <Flex vertical gap={16}>
      <div>
        <Button type="primary" onClick={() => setMaking(true)}>{t.addToken}</Button>
      </div>
      <Trouble error={found.error} again={found.refetch} />
      <Table<Token>
        rowKey="id"
        loading={found.isPending}
        dataSource={(found.data?.items ?? []).filter((k) => !mine || k.owner === me?.name)}
        pagination={{ hideOnSinglePage: true, pageSize: 50 }}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: <Empty description={t.noTokens} /> }}
        columns={[
          { title: t.tokenFor, dataIndex: 'name' },
          { title: words.role, dataIndex: 'role', render: (role: string) => words.names[role] ?? role },
          ...(mine ? [] : [{ title: t.owner, dataIndex: 'owner', render: (owner?: string) => owner ?? t.house }]),
          { title: t.made, dataIndex: 'createdAt', render: (at: string) => <When at={at} /> },
          { title: t.expires, dataIndex: 'expiresAt', render: (at?: string) => (at ? <When at={at} /> : t.never) },
          { title: t.used, dataIndex: 'lastUsed', render: (at?: string) => <When at={at} /> },
          {
            key: 'do', align: 'end', render: (_, k) => (
              <Popconfirm title={t.sureToken(k.name)} okText={t.remove} cancelText={t.cancel} okButtonProps={{ danger: true }} onConfirm={() => remove.mutate(k.id)}>
                <Button size="small" danger>{t.remove}</Button>
              </Popconfirm>
            ),
          },
        ]}
      />
      {making && <Make close={() => setMaking(false)} made={(token) => { setMaking(false); setSecret(token); void again() }} />}
      {secret && (
        <Modal open title={t.onceTitle} closable={false} footer={<Button type="primary" onClick={() => setSecret('')}>{t.copied}</Button>}>
          <Alert type="warning" showIcon title={t.once} style={{ marginBottom: 16 }} />
          <Typography.Paragraph className="mono" copyable={{ text: secret }} style={{ wordBreak: 'break-all' }}>{secret}</Typography.Paragraph>
        </Modal>
      )}
    </Flex>
  )
}

type New = { name: string; role: Role; expiresIn: string }

function Make({ close, made }: { close: () => void; made: (token: string) => void }) {
  const t = useTexts(tokenTexts)
  const words = useRoles()
  const me = useMe()
  const [form] = Form.useForm<New>()
  const make = useMutation({
    mutationFn: (v: New) => must(api.POST('/api/v1/tokens', { body: { name: v.name, role: v.role, ...(v.expiresIn ? { expiresIn: v.expiresIn } : {}) } })),
    onSuccess: (k) => made(k.token ?? ''),
    onError: useRefusal(form),
  })
  return (
    <Modal open title={t.addToken} okText={t.addToken} cancelText={t.cancel} confirmLoading={make.isPending} onOk={() => form.submit()} onCancel={close}>
      <Form form={form} layout="vertical" initialValues={{ role: 'viewer', expiresIn: '720h' }} onFinish={(v) => make.mutate(v)}>
        <Form.Item name="name" label={t.tokenFor} rules={[{ required: true }]}>
          <Input placeholder={t.tokenForHint} maxLength={100} autoFocus />
        </Form.Item>
        <Form.Item name="role" label={words.role} extra={words.help}>
          <Select options={roles.filter((r) => may(me, r)).map((value) => ({ value, label: words.names[value] }))} />
        </Form.Item>
        <Form.Item name="expiresIn" label={t.life}>
          <Select options={[{ value: '24h', label: t.day }, { value: '720h', label: t.month }, { value: '8760h', label: t.year }, { value: '', label: t.ever }]} />
        </Form.Item>
      </Form>
    </Modal>
  )
}
