import { InboxOutlined } from '@ant-design/icons'
import { useQueryClient } from '@tanstack/react-query'
import { App, Form, Input, Modal, Progress, Select, Upload as Picker } from 'antd'
import { useRef, useState } from 'react'
import { useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { Refused } from '../../parts/Refused'
import { readableSize } from '../../parts/size'
import { send } from './send'
import { upgradeTexts } from './texts'

type Described = { version: string; module?: string; source?: string; method: string; desc?: string }

// Upload brings a firmware file to the server and says how far it is.
export function Upload({ product, close }: { product: string; close: () => void }) {
  const t = useTexts(upgradeTexts)
  const cache = useQueryClient()
  const { message } = App.useApp()
  const [form] = Form.useForm<Described>()
  const [trouble, setTrouble] = useState<Error | null>(null)
  const refuse = useRefusal(form, setTrouble)
  const [file, setFile] = useState<File | null>(null)
  const [share, setShare] = useState<number | null>(null)
  const stop = useRef<AbortController | null>(null)
  const upload = async (v: Described) => {
    if (!file) return
    stop.current = new AbortController()
    setShare(0)
    setTrouble(null)
    const query = new URLSearchParams({ file: file.name })
    for (const [name, value] of Object.entries(v)) if (value) query.set(name, value)
    try {
      await send(`/api/v1/products/${encodeURIComponent(product)}/ota/packages?${query}`, file, setShare, stop.current.signal)
      message.success(t.uploaded)
      void cache.invalidateQueries({ queryKey: ['packages', product] })
      close()
    } catch (e) {
      if (!(e instanceof DOMException)) refuse(e as Error)
    }
    setShare(null)
  }
  const under = share !== null
  return (
    <Modal
      open
      title={t.upload}
      okText={t.upload}
      cancelText={under ? t.stop : t.cancel}
      mask={{ closable: false }}
      okButtonProps={{ disabled: !file, loading: under }}
      onOk={() => form.submit()}
      onCancel={() => (under ? stop.current?.abort() : close())}
    >
      <Form form={form} layout="vertical" disabled={under} initialValues={{ method: 'md5' }} onFinish={(v) => void upload(v)}>
        <Form.Item label={t.file} required>
          <Picker.Dragger beforeUpload={(f) => { setFile(f); setTrouble(null); return false }} showUploadList={false} maxCount={1}>
            <InboxOutlined style={{ fontSize: 28 }} />
            <div style={{ wordBreak: 'break-all' }}>{file ? `${file.name} · ${readableSize(file.size)}` : t.choose}</div>
          </Picker.Dragger>
        </Form.Item>
        <Form.Item name="version" label={t.version} rules={[{ required: true }]}>
          <Input placeholder="1.0.1" autoComplete="off" />
        </Form.Item>
        <Form.Item name="module" label={t.module}>
          <Input placeholder="default" autoComplete="off" />
        </Form.Item>
        <Form.Item name="source" label={t.source} extra={t.sourceHint}>
          <Input autoComplete="off" />
        </Form.Item>
        <Form.Item name="method" label={t.method}>
          <Select options={[{ value: 'md5', label: 'MD5' }, { value: 'sha256', label: 'SHA-256' }]} />
        </Form.Item>
        <Form.Item name="desc" label={t.desc}>
          <Input.TextArea autoSize={{ maxRows: 4 }} />
        </Form.Item>
      </Form>
      <Refused error={trouble} />
      {under && <Progress percent={Math.floor(share * 100)} status="active" />}
    </Modal>
  )
}
