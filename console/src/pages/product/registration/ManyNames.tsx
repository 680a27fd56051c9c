import { useMutation } from '@tanstack/react-query'
import { App, Form, Input, Modal } from 'antd'
import { api, must } from '../../../api/client'
import { useTexts } from '../../../i18n/texts'
import { useRefusal } from '../../../parts/refusal'
import { registrationTexts } from './texts'

const most = 10_000

const namesIn = (text: string | undefined) => [...new Set((text ?? '').split(/[\s,，;；]+/).filter(Boolean))]

// ManyNames puts names onto the white list, or takes them off.
export function ManyNames({ product, what, close, done }: { product: string; what: 'add' | 'remove'; close: () => void; done: () => void }) {
  const t = useTexts(registrationTexts)
  const { message } = App.useApp()
  const [form] = Form.useForm<{ names: string }>()
  const names = namesIn(Form.useWatch('names', form))
  const send = useMutation({
    mutationFn: (names: string[]) => {
      const call = { params: { path: { product } }, body: { names } }
      return must(what === 'add' ? api.POST('/api/v1/products/{product}/registration/names', call) : api.POST('/api/v1/products/{product}/registration/names/remove', call))
    },
    onSuccess: ({ changed }) => {
      message.success(what === 'add' ? t.added(changed) : t.taken(changed))
      done()
      close()
    },
    onError: useRefusal(form),
  })
  const judge = (_: unknown, text?: string) => {
    const all = namesIn(text)
    const bad = all.find((n) => n.length > 64 || /[/&+#]/.test(n))
    const why = all.length === 0 ? t.needed : all.length > most ? t.tooMany : bad ? t.badName(bad.slice(0, 70)) : ''
    return why ? Promise.reject(new Error(why)) : Promise.resolve()
  }
  return (
    <Modal open title={t[what]} okText={t[what]} cancelText={t.cancel} confirmLoading={send.isPending} onOk={() => form.submit()} onCancel={close}>
      <Form form={form} layout="vertical" requiredMark={false} validateTrigger="onSubmit" onFinish={(v) => send.mutate(namesIn(v.names))}>
        <Form.Item name="names" label={t.many} extra={`${t.manyHelp} ${t.count(names.length)}`} rules={[{ validator: judge }]}>
          <Input.TextArea className="mono" autoFocus autoSize={{ minRows: 6, maxRows: 16 }} spellCheck={false} />
        </Form.Item>
      </Form>
    </Modal>
  )
}
