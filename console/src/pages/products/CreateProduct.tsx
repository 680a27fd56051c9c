import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Drawer, Flex, Form, Grid, Input, Radio } from 'antd'
import { useNavigate } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { explained } from '../../parts/explained'
import { ProductRules } from '../../parts/ProductRules'
import { Refused } from '../../parts/Refused'
import { useFieldErrors } from '../../parts/useFieldErrors'
import { productsTexts } from './texts'

type Wanted = Schemas['CreateProductInputBody']

// CreateProduct is the form of a new product; it ends on that product's page.
export function CreateProduct({ done }: { done: () => void }) {
  const t = useTexts(productsTexts)
  const cache = useQueryClient()
  const go = useNavigate()
  const full = !(Grid.useBreakpoint().sm ?? true)
  const [form] = Form.useForm<Wanted>()
  const dialect = Form.useWatch('dialect', form) ?? 'aliyun'
  const make = useMutation({
    mutationFn: (body: Wanted) => must(api.POST('/api/v1/products', { body })),
    onSuccess: async (p) => {
      await cache.invalidateQueries({ queryKey: ['products'] })
      await go(`/products/${encodeURIComponent(p.key)}`)
    },
  })
  useFieldErrors(form, make.error)
  return (
    <Drawer
      open
      size={full ? '100%' : 480}
      title={t.create}
      onClose={done}
      footer={
        <Flex justify="end" gap={8}>
          <Button onClick={done}>{t.cancel}</Button>
          <Button type="primary" loading={make.isPending} onClick={() => form.submit()}>
            {t.make}
          </Button>
        </Flex>
      }
    >
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ dialect: 'aliyun', strictness: 'lenient', dataModel: 'thing', nodeType: 'device' }}
        onFinish={(v) => make.mutate({ ...v, dataModel: (v.dialect === 'onenet' && v.dataModel) || 'thing' })}
      >
        <Form.Item name="name" label={t.name}>
          <Input autoFocus maxLength={128} />
        </Form.Item>
        <Form.Item name="dialect" label={t.dialect}>
          <Radio.Group options={explained(t.dialects, t.dialectHelp)} style={{ display: 'flex', flexDirection: 'column' }} />
        </Form.Item>
        <ProductRules dialect={dialect} />
        <Form.Item name="key" label={t.key} extra={t.keyHelp}>
          <Input className="mono" autoComplete="off" />
        </Form.Item>
        <Form.Item name="secret" label={t.secret} extra={t.secretHelp}>
          <Input.Password className="mono" autoComplete="new-password" />
        </Form.Item>
        <Form.Item name="desc" label={t.desc}>
          <Input.TextArea rows={2} maxLength={1000} />
        </Form.Item>
        <Refused error={make.error} />
      </Form>
    </Drawer>
  )
}
