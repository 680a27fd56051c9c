import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Checkbox, Form, Input, InputNumber, Modal } from 'antd'
import { api, must } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { factoryTexts } from './texts'

type New = { name?: string; note?: string; count?: number; prefix?: string; names?: string; list?: boolean }

// Make makes a batch: so many devices, or those of chosen names. The number has
// no bounds here: a field that makes 10,000 of a million by itself would make
// devices that nobody asked for. The server says no.
export function Make({ product, close }: { product: string; close: () => void }) {
  const t = useTexts(factoryTexts)
  const cache = useQueryClient()
  const [form] = Form.useForm<New>()
  const chosen = Form.useWatch('names', form)
  const make = useMutation({
    mutationFn: (v: New) => {
      const names = (v.names ?? '').split(/[\s,，]+/).filter(Boolean)
      return must(api.POST('/api/v1/products/{product}/batches', {
        params: { path: { product } },
        body: {
          ...(v.name && { name: v.name }), ...(v.note && { note: v.note }), ...(v.list && { list: true }),
          ...(names.length > 0 ? { names } : { count: v.count ?? 0, ...(v.prefix && { prefix: v.prefix }) }),
        },
      }))
    },
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ['batches', product] })
      close()
    },
    onError: useRefusal(form),
  })
  return (
    <Modal open title={t.make} okText={t.make} cancelText={t.cancel} confirmLoading={make.isPending} onOk={() => form.submit()} onCancel={close}>
      <Form form={form} layout="vertical" initialValues={{ count: 100 }} onFinish={(v) => make.mutate(v)}>
        <Form.Item name="name" label={t.name}><Input placeholder={t.nameHint} autoComplete="off" /></Form.Item>
        <Form.Item name="count" label={t.count}><InputNumber precision={0} disabled={!!chosen} style={{ width: 160 }} /></Form.Item>
        <Form.Item name="prefix" label={t.prefix}><Input disabled={!!chosen} autoComplete="off" /></Form.Item>
        <Form.Item name="names" label={t.names} extra={t.namesHint}><Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} /></Form.Item>
        <Form.Item name="note" label={t.note}><Input /></Form.Item>
        <Form.Item name="list" valuePropName="checked"><Checkbox>{t.list}</Checkbox></Form.Item>
      </Form>
    </Modal>
  )
}
