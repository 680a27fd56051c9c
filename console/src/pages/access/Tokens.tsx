import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Empty, Flex, Form, Input, Modal, Popconfirm, Select, Table, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { Trouble } from '../../parts/Trouble'
import { When } from '../../parts/When'
import { roles, type Role } from './Operators'
import { accessTexts } from './texts'

type Token = Schemas['Token']

// Tokens let programs in.
export function Tokens() {
  const t = useTexts(accessTexts)
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
        dataSource={found.data?.items ?? []}
        pagination={{ hideOnSinglePage: true, pageSize: 50 }}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: <Empty description={t.noTokens} /> }}
        columns={[
          { title: t.tokenFor, dataIndex: 'name' },
          { title: t.role, dataIndex: 'role', render: (role: Role) => t[role] },
          { title: t.owner, dataIndex: 'owner', render: (owner?: string) => owner ?? t.house },
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
      <Modal open={secret !== ''} title={t.onceTitle} closable={false} footer={<Button type="primary" onClick={() => setSecret('')}>{t.copied}</Button>}>
        <Alert type="warning" showIcon title={t.once} style={{ marginBottom: 16 }} />
        <Typography.Paragraph className="mono" copyable={{ text: secret }} style={{ wordBreak: 'break-all' }}>{secret}</Typography.Paragraph>
      </Modal>
    </Flex>
  )
}

type New = { name: string; role: Role; expiresIn: string }

function Make({ close, made }: { close: () => void; made: (token: string) => void }) {
  const t = useTexts(accessTexts)
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
          <Input placeholder={t.tokenForHint} maxLength={256} autoFocus />
        </Form.Item>
        <Form.Item name="role" label={t.role} extra={t.roleHelp}>
          <Select options={roles.filter((r) => may(me, r)).map((value) => ({ value, label: t[value] }))} />
        </Form.Item>
        <Form.Item name="expiresIn" label={t.life}>
          <Select options={[{ value: '24h', label: t.day }, { value: '720h', label: t.month }, { value: '8760h', label: t.year }, { value: '', label: t.ever }]} />
        </Form.Item>
      </Form>
    </Modal>
  )
}
