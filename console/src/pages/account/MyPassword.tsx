import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Typography } from 'antd'
import { api } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { accountTexts } from './texts'

type Change = { old: string; new: string; again: string }

// MyPassword changes one's own password, which ends all of one's sessions.
export function MyPassword() {
  const t = useTexts(accountTexts)
  const [form] = Form.useForm<Change>()
  const { message } = App.useApp()
  const cache = useQueryClient()
  const change = useMutation({
    mutationFn: (v: Change) => api.PUT('/api/v1/me/password', { body: { old: v.old, new: v.new } }),
    onSuccess: () => {
      message.success(t.done)
      cache.setQueryData(['me'], null)
    },
    onError: useRefusal(form),
  })
  return (
    <Form form={form} layout="vertical" requiredMark={false} style={{ maxWidth: 360 }} onFinish={(v) => change.mutate(v)}>
      <Typography.Paragraph type="secondary">{t.passwordHelp}</Typography.Paragraph>
      <Form.Item name="old" label={t.oldPassword} rules={[{ required: true }]}>
        <Input.Password autoComplete="current-password" />
      </Form.Item>
      <Form.Item name="new" label={t.newPassword} rules={[{ required: true }]}>
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Form.Item
        name="again"
        label={t.again}
        dependencies={['new']}
        rules={[{ required: true }, ({ getFieldValue }) => ({ validator: (_, v) => (!v || v === getFieldValue('new') ? Promise.resolve() : Promise.reject(new Error(t.differ))) })]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={change.isPending}>{t.change}</Button>
    </Form>
  )
}
