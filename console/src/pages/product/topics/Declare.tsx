import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Form, Input, Modal, Radio, Typography } from 'antd'
import { api, must, type Schemas } from '../../../api/client'
import { useTexts } from '../../../i18n/texts'
import { useRefusal } from '../../../parts/refusal'
import { topicTexts } from './texts'

type Wanted = { path: string; permission: string; desc?: string }

const good = /^\/?(#|(\w+|\+)(\/(\w+|\+))*(\/#)?)$/
const wild = (path: string) => /[+#]/.test(path)

// Declare is the form of a class of topics. The path is what a class is known
// by: it is chosen once.
export function Declare({ product, known, close }: { product: string; known: Schemas['Class'] | null; close: () => void }) {
  const t = useTexts(topicTexts)
  const cache = useQueryClient()
  const [form] = Form.useForm<Wanted>()
  const path = Form.useWatch('path', form) ?? known?.path ?? ''
  const save = useMutation({
    mutationFn: (v: Wanted) => must(api.POST('/api/v1/products/{product}/topics', { params: { path: { product } }, body: { path: known?.path ?? v.path.trim(), permission: v.permission, ...(v.desc && { desc: v.desc }) } })),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ['products', product, 'topics'] })
      close()
    },
    onError: useRefusal(form),
  })
  return (
    <Modal open title={known ? known.path : t.add} okText={t.save} cancelText={t.cancel} confirmLoading={save.isPending} onOk={() => form.submit()} onCancel={close}>
      <Form
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ path: known?.path ?? 'user/', permission: known?.permission ?? 'publish', desc: known?.desc }}
        onValuesChange={(v: Partial<Wanted>) => {
          if (v.path !== undefined && wild(v.path)) form.setFieldValue('permission', 'subscribe')
        }}
        onFinish={(v) => save.mutate(v)}
      >
        <Form.Item name="path" label={t.path} extra={known ? undefined : t.pathHelp} rules={[{ validator: (_, v: string) => (good.test(v.trim()) ? Promise.resolve() : Promise.reject(new Error(t.badPath))) }]}>
          <Input className="mono" autoComplete="off" autoFocus={!known} disabled={!!known} />
        </Form.Item>
        <Form.Item label={t.whole}>
          <Typography.Text className="mono" type="secondary" style={{ overflowWrap: 'anywhere' }}>{wholeTopic(product, path)}</Typography.Text>
        </Form.Item>
        <Form.Item name="permission" label={t.may} extra={wild(path) ? t.wild : undefined}>
          <Radio.Group options={Object.entries(t.permissions).map(([value, label]) => ({ value, label, disabled: wild(path) && value !== 'subscribe' }))} />
        </Form.Item>
        <Form.Item name="desc" label={t.desc}>
          <Input maxLength={100} autoComplete="off" />
        </Form.Item>
      </Form>
    </Modal>
  )
}

// wholeTopic is the topic as a device writes it.
export const wholeTopic = (product: string, path: string) => `/${product}/\${deviceName}/${path.replace(/^\//, '')}`
