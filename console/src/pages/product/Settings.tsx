import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Card, Flex, Form, Input, Select, Switch, Typography } from 'antd'
import { useNavigate } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { Refused } from '../../parts/Refused'
import { productTexts } from './texts'

// Settings are what a product is called, how exact it is, who may register,
// its secret and its end.
export function Settings({ product: p }: { product: Schemas['Product'] }) {
  const t = useTexts(productTexts)
  const able = may(useMe(), 'operator')
  const cache = useQueryClient()
  const go = useNavigate()
  const { modal } = App.useApp()
  const params = { path: { product: p.key } }
  const again = () => cache.invalidateQueries({ queryKey: ['products'] })
  const change = useMutation({ mutationFn: (body: Schemas['ChangeProductInputBody']) => must(api.PATCH('/api/v1/products/{product}', { params, body })), onSuccess: again })
  const register = useMutation({ mutationFn: (body: Schemas['ChangeRegistrationInputBody']) => must(api.PATCH('/api/v1/products/{product}/registration', { params, body })), onSuccess: again })
  const secret = useMutation({ mutationFn: () => must(api.GET('/api/v1/products/{product}', { params: { ...params, query: { secrets: true } } })) })
  const remove = useMutation({
    mutationFn: () => must(api.DELETE('/api/v1/products/{product}', { params: { ...params, query: { force: true } } })),
    onSuccess: async () => {
      await go('/products')
      await again()
    },
  })
  return (
    <Flex vertical gap={16} style={{ maxWidth: 640 }}>
      <Refused error={change.error ?? register.error ?? secret.error ?? remove.error} />
      <Form layout="vertical" disabled={!able} initialValues={{ name: p.name, desc: p.desc, strictness: p.strictness }} onFinish={(v) => change.mutate(v)}>
        <Form.Item name="name" label={t.name}><Input /></Form.Item>
        <Form.Item name="desc" label={t.desc}><Input.TextArea rows={2} /></Form.Item>
        <Form.Item name="strictness" label={t.strictness}>
          <Select options={(['lenient', 'strict', 'open'] as const).map((value) => ({ value, label: t[value] }))} />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={change.isPending}>{t.save}</Button>
      </Form>
      <Card size="small" title={t.registration}>
        <Flex vertical gap={8}>
          {(['enabled', 'free', 'listed'] as const).map((key) => (
            <Flex key={key} justify="space-between" gap={12}>
              <span>{t[key]}</span>
              <Switch aria-label={t[key]} disabled={!able} checked={p.registration[key]} loading={register.isPending} onChange={(on) => register.mutate({ [key]: on })} />
            </Flex>
          ))}
        </Flex>
      </Card>
      <Card size="small" title={t.secret}>
        {secret.data?.secret ? <Typography.Text copyable className="mono">{secret.data.secret}</Typography.Text> : <Button disabled={!able} loading={secret.isPending} onClick={() => secret.mutate()}>{t.show}</Button>}
      </Card>
      <Button danger disabled={!able} style={{ alignSelf: 'start' }} onClick={() => modal.confirm({ title: t.remove, content: t.removeWhat(p.devices), okText: t.remove, okButtonProps: { danger: true }, onOk: () => remove.mutateAsync() })}>
        {t.remove}
      </Button>
    </Flex>
  )
}
