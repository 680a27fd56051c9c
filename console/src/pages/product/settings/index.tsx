import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Card, Flex, Form, Input, Tooltip, Typography } from 'antd'
import { api, must, type Schemas } from '../../../api/client'
import { may, useMe } from '../../../app/session'
import { useTexts } from '../../../i18n/texts'
import { ProductRules } from '../../../parts/ProductRules'
import { Refused } from '../../../parts/Refused'
import { useUnsaved } from '../../../parts/Unsaved'
import { useFieldErrors } from '../../../parts/useFieldErrors'
import { ProductSecret } from './ProductSecret'
import { Remove } from './Remove'
import { productSettingTexts } from './texts'

type Wanted = Schemas['ChangeProductInputBody']

// settingsOf is what the form changes.
export const settingsOf = ({ name, desc, strictness, dataModel, nodeType }: Schemas['Product']) => ({ name, desc, strictness, dataModel, nodeType })

// Settings are what a product is called, how exact it is, its secret and its
// end.
export function Settings({ product: p }: { product: Schemas['Product'] }) {
  const t = useTexts(productSettingTexts)
  const { message } = App.useApp()
  const able = may(useMe(), 'operator')
  const cache = useQueryClient()
  const [form] = Form.useForm<Wanted>()
  const change = useMutation({
    mutationFn: (body: Wanted) => must(api.PATCH('/api/v1/products/{product}', { params: { path: { product: p.key } }, body })),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['products'] })
      message.success(t.saved)
    },
  })
  useFieldErrors(form, change.error)
  const now = Form.useWatch([], form) as Wanted | undefined
  useUnsaved(!!now && Object.entries(settingsOf(p)).some(([key, was]) => (now[key as keyof Wanted] ?? '') !== (was ?? '')))
  return (
    <Flex vertical gap={16} style={{ maxWidth: 760 }}>
      <Card size="small">
        <Form
          form={form}
          layout="vertical"
          requiredMark={false}
          disabled={!able}
          initialValues={settingsOf(p)}
          onFinish={(v) => change.mutate(v)}
        >
          <Form.Item name="name" label={t.name} extra={t.fixed}><Input maxLength={128} /></Form.Item>
          <Form.Item name="desc" label={t.desc}><Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} maxLength={1000} /></Form.Item>
          <ProductRules dialect={p.dialect} dataModelHelp={t.dataModelHelp} />
          <Flex gap={8}>
            <Tooltip title={able ? undefined : t.role}><Button type="primary" htmlType="submit" loading={change.isPending}>{t.save}</Button></Tooltip>
            <Button htmlType="reset">{t.undo}</Button>
          </Flex>
        </Form>
        {change.error && <div style={{ marginTop: 12 }}><Refused error={change.error} /></div>}
        {!able && <Typography.Text type="secondary">{t.role}</Typography.Text>}
      </Card>
      <ProductSecret product={p} able={able} />
      <Remove product={p} able={able} />
    </Flex>
  )
}
