import { InboxOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Form, Input, InputNumber, Modal, Select, Upload } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { problemText } from '../../parts/problem'
import { readText } from '../../parts/readText'
import { useFieldErrors } from '../../parts/useFieldErrors'
import { devicesTexts } from './texts'

export type Way = 'one' | 'many' | 'csv'

type Wanted = { product: string; name?: string; secret?: string; nickname?: string; count?: number; prefix?: string }

// What the API takes at once, in bytes.
const mostBytes = 32 << 20

const rowsOf = (csv: string) => csv.split(/\r\n|\r|\n/).filter((line) => line.trim() !== '').length - 1

type Props = { way: Way | null; close: () => void; products: Schemas['Product'][]; product?: string }

// NewDevices makes one device and opens its page, or many at once.
export function NewDevices({ way, close, products, product }: Props) {
  const t = useTexts(devicesTexts)
  const { message } = App.useApp()
  const cache = useQueryClient()
  const navigate = useNavigate()
  const [form] = Form.useForm<Wanted>()
  const [csv, setCSV] = useState<{ text?: string; wrong?: string }>({})
  const make = useMutation({
    mutationFn: async (w: Wanted) => {
      const path = { product: w.product }
      if (way === 'one') {
        const body = Object.fromEntries(Object.entries({ name: w.name, secret: w.secret, nickname: w.nickname }).filter(([, v]) => v))
        const made = await must(api.POST('/api/v1/products/{product}/devices', { params: { path }, body }))
        return { count: 1, made }
      }
      if (way === 'csv') {
        const made = await must(
          api.POST('/api/v1/products/{product}/devices.csv', { params: { path }, body: csv.text as never, bodySerializer: (b: unknown) => b as string, headers: { 'Content-Type': 'text/csv' } }),
        )
        return { count: made.created }
      }
      const n = w.count ?? 1
      const width = String(n).length
      const devices = Array.from({ length: n }, (_, i) => (w.prefix ? { name: w.prefix + String(i + 1).padStart(width, '0') } : {}))
      const made = await must(api.POST('/api/v1/products/{product}/devices/batch', { params: { path }, body: { devices } }))
      return { count: made.items?.length ?? 0 }
    },
    onSuccess: async ({ count, made }) => {
      await cache.invalidateQueries({ queryKey: ['devices'] })
      void message.success(t.made(count))
      done()
      if (made) await navigate(`/devices/${encodeURIComponent(made.product)}/${encodeURIComponent(made.name)}?tab=connect`)
    },
  })
  useFieldErrors(form, way === 'one' ? make.error : null)
  const choose = async (f: File) => {
    make.reset()
    if (f.size > mostBytes) return setCSV({ wrong: t.csvBig })
    const text = await readText(f)
    setCSV(text === undefined ? { wrong: t.csvNoText } : { text })
  }
  const done = () => {
    make.reset()
    setCSV({})
    close()
  }
  const title = way === 'csv' ? t.import : way === 'many' ? t.createMany : t.create
  return (
    <Modal
      open={way !== null}
      title={title}
      onCancel={done}
      onOk={() => form.submit()}
      okText={title}
      cancelText={t.cancel}
      okButtonProps={{ disabled: way === 'csv' && csv.text === undefined }}
      confirmLoading={make.isPending}
      destroyOnHidden
    >
      <Form form={form} layout="vertical" preserve={false} onFinish={(w) => make.mutate(w)} initialValues={{ product: product ?? products[0]?.key, count: 10 }}>
        {make.isError && <Alert type="error" showIcon title={t.notMade} description={<span style={{ whiteSpace: 'pre-line' }}>{way === 'csv' ? problemText(make.error).replace(/^devices\[(\d+)\]/gm, (_, n: string) => t.csvRow(Number(n) + 1)) : problemText(make.error)}</span>} style={{ marginBottom: 16 }} />}
        <Form.Item name="product" label={t.product} rules={[{ required: true }]}>
          <Select showSearch={{ optionFilterProp: 'label' }} options={products.map((p) => ({ value: p.key, label: `${p.name} (${p.key})` }))} />
        </Form.Item>
        {way === 'one' && (
          <>
            <Form.Item name="name" label={t.name} extra={t.nameHelp}>
              <Input autoFocus autoComplete="off" maxLength={64} />
            </Form.Item>
            <Form.Item name="nickname" label={t.nickname}>
              <Input autoComplete="off" />
            </Form.Item>
            <Form.Item name="secret" label={t.secret} extra={t.secretHelp}>
              <Input.Password autoComplete="new-password" />
            </Form.Item>
          </>
        )}
        {way === 'many' && (
          <>
            <Form.Item name="count" label={t.count} rules={[{ required: true, type: 'integer', min: 1, max: 10_000, message: t.countRule }]}>
              <InputNumber />
            </Form.Item>
            <Form.Item name="prefix" label={t.prefix} extra={t.prefixHelp}>
              <Input autoComplete="off" maxLength={50} />
            </Form.Item>
          </>
        )}
        {way === 'csv' && (
          <Form.Item extra={t.csvHelp} validateStatus={csv.wrong ? 'error' : ''} help={csv.wrong ?? (csv.text !== undefined && t.csvRows(rowsOf(csv.text)))}>
            <Upload.Dragger
              accept=".csv,text/csv"
              maxCount={1}
              beforeUpload={(f) => {
                void choose(f)
                return false
              }}
              onRemove={() => setCSV({})}
            >
              <InboxOutlined style={{ fontSize: 28 }} />
              <p>{t.chooseFile}</p>
            </Upload.Dragger>
          </Form.Item>
        )}
      </Form>
    </Modal>
  )
}
