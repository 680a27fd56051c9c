import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Card, Flex, Form, InputNumber, Switch, Tooltip, Typography } from 'antd'
import { api, must, type Schemas } from '../../../api/client'
import { may, useMe } from '../../../app/session'
import { useTexts } from '../../../i18n/texts'
import { Refused } from '../../../parts/Refused'
import { registrationTexts } from './texts'
import { WhiteList } from './WhiteList'

// Registration says which devices of a product get their secret by themselves.
export function Registration({ product: p }: { product: Schemas['Product'] }) {
  const t = useTexts(registrationTexts)
  const { message } = App.useApp()
  const able = may(useMe(), 'operator')
  const cache = useQueryClient()
  const change = useMutation({
    mutationFn: (body: Schemas['ChangeRegistrationInputBody']) => must(api.PATCH('/api/v1/products/{product}/registration', { params: { path: { product: p.key } }, body })),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['products', p.key], exact: true })
      message.success(t.saved)
    },
  })
  const rules = p.registration
  return (
    <Flex vertical gap={16} style={{ maxWidth: 760 }}>
      <Typography.Text type="secondary">{t.about}</Typography.Text>
      <Refused error={change.error} />
      <Card size="small" title={t.switches}>
        <Flex vertical gap={16}>
          {(['enabled', 'free', 'listed'] as const).map((key) => (
            <Flex key={key} justify="space-between" align="center" gap={16}>
              <Flex vertical>
                <span>{t.names[key]}</span>
                <Typography.Text type="secondary">{t.help[key]}</Typography.Text>
              </Flex>
              <Tooltip title={able ? undefined : t.role}>
                <Switch
                  aria-label={t.names[key]}
                  disabled={!able}
                  checked={rules[key]}
                  loading={change.isPending && change.variables[key] !== undefined}
                  onChange={(on) => change.mutate({ [key]: on })}
                />
              </Tooltip>
            </Flex>
          ))}
          {rules.free && (
            <Form key={rules.maxDevices} layout="vertical" disabled={!able} initialValues={{ maxDevices: rules.maxDevices }} onFinish={(v: { maxDevices: number | null }) => change.mutate({ maxDevices: v.maxDevices ?? 0 })}>
              <Form.Item name="maxDevices" label={t.most} extra={t.mostHelp} style={{ marginBottom: 8 }}>
                <InputNumber min={0} max={10_000_000} precision={0} style={{ width: 160 }} />
              </Form.Item>
              <Button htmlType="submit">{t.save}</Button>
            </Form>
          )}
        </Flex>
      </Card>
      <WhiteList product={p.key} asked={rules.listed} able={able} />
    </Flex>
  )
}
