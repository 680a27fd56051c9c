import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Flex, Form, Input, Radio, Segmented, Tooltip, Typography } from 'antd'
import { api, must, type Schemas } from '../../../api/client'
import { may, useMe } from '../../../app/session'
import { useTexts } from '../../../i18n/texts'
import { explained } from '../../../parts/explained'
import { Refused } from '../../../parts/Refused'
import { useFieldErrors } from '../../../parts/useFieldErrors'
import { productsTexts } from '../../products/texts'
import { ProductSecret } from './ProductSecret'
import { Remove } from './Remove'
import { productSettingTexts } from './texts'

type Wanted = Schemas['ChangeProductInputBody']

// Settings are what a product is called, how exact it is, its secret and its
// end.
export function Settings({ product: p }: { product: Schemas['Product'] }) {
  const t = useTexts(productSettingTexts)
  const words = useTexts(productsTexts)
  const { message } = App.useApp()
  const able = may(useMe(), 'operator')
  const cache = useQueryClient()
  const [form] = Form.useForm<Wanted>()
  const open = Form.useWatch('strictness', form) === 'open'
  const change = useMutation({
    mutationFn: (body: Wanted) => must(api.PATCH('/api/v1/products/{product}', { params: { path: { product: p.key } }, body })),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['products'] })
      message.success(t.saved)
    },
  })
  useFieldErrors(form, change.error)
  return (
    <Flex vertical gap={16} style={{ maxWidth: 760 }}>
      <Card size="small">
        <Form
          form={form}
          layout="vertical"
          requiredMark={false}
          disabled={!able}
          initialValues={{ name: p.name, desc: p.desc, strictness: p.strictness, dataModel: p.dataModel, nodeType: p.nodeType }}
          onFinish={(v) => change.mutate(v)}
        >
          <Form.Item name="name" label={t.name} extra={t.fixed}><Input maxLength={128} /></Form.Item>
          <Form.Item name="desc" label={t.desc}><Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} /></Form.Item>
          <Form.Item name="strictness" label={words.strictness}>
            <Radio.Group options={explained(words.strict, words.strictHelp)} style={{ display: 'flex', flexDirection: 'column' }} />
          </Form.Item>
          {open && <Alert type="error" showIcon title={t.openWarn} style={{ marginBottom: 24 }} />}
          <Form.Item name="dataModel" label={words.dataModel} extra={t.dataModelHelp} hidden={p.dialect !== 'onenet'}>
            <Segmented options={[{ value: 'thing', label: words.thing }, { value: 'streams', label: words.streams }]} />
          </Form.Item>
          {/* radios called nodeType would hide the form element's own member */}
          <Form.Item name="nodeType" label={words.nodeType}>
            <Radio.Group name="kind" options={[{ value: 'device', label: words.device }, { value: 'gateway', label: words.gateway }]} style={{ display: 'flex', flexDirection: 'column', gap: 4 }} />
          </Form.Item>
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
