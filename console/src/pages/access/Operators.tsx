import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Form, Input, Modal, Popconfirm, Select, Space, Table, Tag, Tooltip } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { roles, useRoles, type Role } from '../../parts/roles'
import { Trouble } from '../../parts/Trouble'
import { When } from '../../parts/When'
import { accessTexts } from './texts'

type Operator = Schemas['Operator']

// Operators are the people who sign in with a password.
export function Operators() {
  const t = useTexts(accessTexts)
  const words = useRoles()
  const me = useMe()
  const cache = useQueryClient()
  const refuse = useRefusal()
  const [open, setOpen] = useState<Operator | 'new' | null>(null)
  const found = useQuery({ queryKey: ['operators'], queryFn: () => must(api.GET('/api/v1/operators')) })
  const remove = useMutation({
    mutationFn: (name: string) => api.DELETE('/api/v1/operators/{name}', { params: { path: { name } } }),
    onSuccess: () => Promise.all([cache.invalidateQueries({ queryKey: ['operators'] }), cache.invalidateQueries({ queryKey: ['me'] })]),
    onError: refuse,
  })
  const admit = useMutation({
    mutationFn: ({ name, enabled }: Pick<Operator, 'name' | 'enabled'>) => must(api.PATCH('/api/v1/operators/{name}', { params: { path: { name } }, body: { enabled } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['operators'] }),
    onError: refuse,
  })
  return (
    <Flex vertical gap={16}>
      <div>
        <Button type="primary" onClick={() => setOpen('new')}>{t.addOperator}</Button>
      </div>
      <Trouble error={found.error} again={found.refetch} />
      <Table<Operator>
        rowKey="name"
        loading={found.isPending}
        dataSource={found.data?.items ?? []}
        pagination={false}
        scroll={{ x: 'max-content' }}
        columns={[
          { title: t.name, dataIndex: 'name', render: (name: string, o) => <Space>{name}{name === me?.name && <Tag color="blue">{t.you}</Tag>}{!o.enabled && <Tag color="red">{t.disabled}</Tag>}{!o.passwordChosen && <Tag color="orange">{t.generated}</Tag>}</Space> },
          { title: words.role, dataIndex: 'role', render: (role: string) => words.names[role] ?? role },
          { title: t.made, dataIndex: 'createdAt', render: (at: string) => <When at={at} /> },
          { title: t.changed, dataIndex: 'updatedAt', render: (at: string) => <When at={at} /> },
          {
            key: 'do', align: 'end', render: (_, o) => (
              <Space>
                <Button size="small" onClick={() => setOpen(o)}>{t.edit}</Button>
                {o.name === me?.name ? (
                  <Tooltip title={t.notOneself}><Button size="small" disabled>{t.disable}</Button></Tooltip>
                ) : o.enabled ? (
                  <Popconfirm title={t.sureDisable(o.name)} okText={t.disable} cancelText={t.cancel} okButtonProps={{ danger: true }} onConfirm={() => admit.mutate({ name: o.name, enabled: false })}>
                    <Button size="small">{t.disable}</Button>
                  </Popconfirm>
                ) : (
                  <Button size="small" onClick={() => admit.mutate({ name: o.name, enabled: true })}>{t.enable}</Button>
                )}
                <Popconfirm title={t.sureOperator(o.name)} okText={t.remove} cancelText={t.cancel} okButtonProps={{ danger: true }} onConfirm={() => remove.mutate(o.name)}>
                  <Button size="small" danger>{t.remove}</Button>
                </Popconfirm>
              </Space>
            ),
          },
        ]}
      />
      {open && <Edit operator={open === 'new' ? null : open} close={() => setOpen(null)} />}
    </Flex>
  )
}

function Edit({ operator, close }: { operator: Operator | null; close: () => void }) {
  const t = useTexts(accessTexts)
  const words = useRoles()
  const [form] = Form.useForm<{ name: string; role: Role; password?: string }>()
  const cache = useQueryClient()
  const save = useMutation({
    mutationFn: (v: { name: string; role: Role; password?: string }) =>
      operator
        ? must(api.PATCH('/api/v1/operators/{name}', { params: { path: { name: operator.name } }, body: { role: v.role, ...(v.password ? { password: v.password } : {}) } }))
        : must(api.POST('/api/v1/operators', { body: { name: v.name, role: v.role, password: v.password ?? '' } })),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ['operators'] })
      void cache.invalidateQueries({ queryKey: ['me'] }) // it may be oneself
      close()
    },
    onError: useRefusal(form),
  })
  return (
    <Modal open title={operator ? operator.name : t.addOperator} okText={t.save} cancelText={t.cancel} confirmLoading={save.isPending} onOk={() => form.submit()} onCancel={close}>
      <Form form={form} layout="vertical" initialValues={{ name: operator?.name, role: operator?.role ?? 'operator' }} onFinish={(v) => save.mutate(v)}>
        {!operator && (
          <Form.Item name="name" label={t.name} rules={[{ required: true }]}>
            <Input autoComplete="off" autoFocus />
          </Form.Item>
        )}
        <Form.Item name="role" label={words.role} extra={words.help}>
          <Select options={roles.map((value) => ({ value, label: words.names[value] }))} />
        </Form.Item>
        <Form.Item name="password" label={operator ? t.newPassword : t.password} rules={[{ required: !operator }]} extra={operator ? t.keepPassword : undefined}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
      </Form>
    </Modal>
  )
}
