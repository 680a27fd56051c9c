import { useMutation } from '@tanstack/react-query'
import { App, Button, Flex, Form, Input, InputNumber, Tooltip, Typography } from 'antd'
import { api, must } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { gatewayTexts } from './texts'

// Permit lets a gateway take new sub-devices in for a while.
export function Permit({ product, device }: { product: string; device: string }) {
  const t = useTexts(gatewayTexts)
  const works = may(useMe(), 'operator')
  const { message } = App.useApp()
  const [form] = Form.useForm<{ seconds: number; product?: string }>()
  const permit = useMutation({
    mutationFn: (v: { seconds: number; product?: string }) =>
      must(api.POST('/api/v1/products/{product}/devices/{device}/subs-permit', {
        params: { path: { product, device } },
        body: { seconds: v.seconds, ...(v.product && { product: v.product }) },
      })),
    onSuccess: (told) => message.info(told.outcome === 'delivered' ? t.delivered : t.queued),
    onError: useRefusal(form),
  })
  return (
    <section>
      <Typography.Title level={4} style={{ marginTop: 0, marginBottom: 0 }}>{t.permit}</Typography.Title>
      <Typography.Paragraph type="secondary">{t.permitHint}</Typography.Paragraph>
      <Form form={form} layout="inline" disabled={!works} initialValues={{ seconds: 60 }} onFinish={(v) => permit.mutate(v)}>
        <Flex gap={8} wrap>
          <Form.Item name="seconds" style={{ margin: 0 }}>
            <InputNumber aria-label={t.permitHint} min={1} max={3600} suffix={t.seconds} style={{ width: 110 }} />
          </Form.Item>
          <Form.Item name="product" style={{ margin: 0 }}>
            <Input aria-label={t.product} placeholder={`ProductKey · ${t.any}`} style={{ width: 200 }} />
          </Form.Item>
          <Tooltip title={works ? '' : t.needRole}>
            <Button type="primary" htmlType="submit" loading={permit.isPending}>{t.permit}</Button>
          </Tooltip>
        </Flex>
      </Form>
    </section>
  )
}
