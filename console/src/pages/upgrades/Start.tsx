import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Checkbox, Collapse, Form, Input, InputNumber, Modal, Radio, Select } from 'antd'
import { useState } from 'react'
import { api, must, Problem, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { fieldOf, useRefusal } from '../../parts/refusal'
import { upgradeTexts } from './texts'

type Plan = {
  target: 'all' | 'one' | 'tag' | 'percent'
  devices?: string[]
  tag?: string
  percent?: number
  confirm?: boolean
  dynamic?: boolean
  overwrite?: boolean
  protocol: string
  perMinute?: number | null
  retries?: number | null
  timeoutMinutes?: number | null
}

// What stands in the fold, which opens when one of them is refused.
const folded = new Set(['dynamic', 'overwrite', 'protocol', 'perMinute', 'retries', 'timeoutMinutes'])

// Start makes a job: which devices get a package, and how.
export function Start({ pack, devices, close, started }: { pack: Schemas['Package']; devices?: string[]; close: () => void; started: (job: string) => void }) {
  const t = useTexts(upgradeTexts)
  const cache = useQueryClient()
  const [form] = Form.useForm<Plan>()
  const refuse = useRefusal(form)
  const [more, setMore] = useState<string[]>([])
  const target = Form.useWatch('target', form) ?? 'one' // nothing at the first look: the names are asked for from the start
  const start = useMutation({
    mutationFn: (v: Plan) =>
      must(api.POST('/api/v1/products/{product}/ota/jobs', {
        params: { path: { product: pack.product } },
        body: {
          package: pack.id,
          protocol: v.protocol,
          ...(devices ? { devices } : v.target === 'one' && { devices: v.devices ?? [] }),
          ...(v.target === 'tag' && { tag: v.tag ?? '' }),
          ...(v.target === 'percent' && { percent: v.percent ?? 10 }),
          ...(v.confirm && { confirm: true }),
          ...(v.dynamic && { dynamic: true }),
          ...(v.overwrite && { overwrite: true }),
          ...(v.perMinute && { perMinute: v.perMinute }),
          ...(v.retries && { retries: v.retries }),
          ...(v.timeoutMinutes && { timeoutMinutes: v.timeoutMinutes }),
        },
      })),
    onSuccess: (job) => {
      void cache.invalidateQueries({ queryKey: ['jobs', pack.product] })
      started(job.id)
    },
    onError: (e) => {
      if (e instanceof Problem && e.errors.some(({ location }) => folded.has(fieldOf(location) ?? ''))) setMore(['more'])
      refuse(e)
    },
  })
  return (
    <Modal open title={`${t.start}: ${pack.version}`} okText={t.go} cancelText={t.cancel} confirmLoading={start.isPending} onOk={() => form.submit()} onCancel={close}>
      <Form form={form} layout="vertical" initialValues={{ target: 'one', percent: 10, protocol: 'http' }} onFinish={(v) => start.mutate(v)}>
        {devices && <Form.Item label={t.target}>{t.chosenDevices(devices.length)}</Form.Item>}
        <Form.Item name="target" label={t.target} hidden={!!devices}>
          <Radio.Group options={(['one', 'tag', 'percent', 'all'] as const).map((value) => ({ value, label: t[value] }))} />
        </Form.Item>
        {!devices && target === 'one' && (
          <Form.Item name="devices" label={t.names} extra={t.namesHint} rules={[{ required: true }]}>
            <Select mode="tags" open={false} tokenSeparators={[',', '\n', ' ']} suffixIcon={null} />
          </Form.Item>
        )}
        {target === 'tag' && (
          <Form.Item name="tag" label={t.tag} rules={[{ required: true }]}>
            <Input placeholder={t.tagHint} autoComplete="off" />
          </Form.Item>
        )}
        {target === 'percent' && (
          <Form.Item name="percent" label={t.share} rules={[{ required: true }]}>
            <InputNumber min={0.01} max={100} suffix="%" style={{ width: 140 }} />
          </Form.Item>
        )}
        <Form.Item name="confirm" valuePropName="checked" style={{ marginBottom: 12 }}>
          <Checkbox>{t.confirm}</Checkbox>
        </Form.Item>
        <Collapse
          ghost
          activeKey={more}
          onChange={setMore}
          items={[{
            key: 'more', label: t.more, forceRender: true, children: (
              <>
                {target === 'all' && (
                  <Form.Item name="dynamic" valuePropName="checked"><Checkbox>{t.dynamic}</Checkbox></Form.Item>
                )}
                <Form.Item name="overwrite" valuePropName="checked"><Checkbox>{t.overwrite}</Checkbox></Form.Item>
                <Form.Item name="protocol" label={t.protocol}>
                  <Select options={[{ value: 'http', label: t.http }, { value: 'mqtt', label: t.mqtt }]} />
                </Form.Item>
                <Form.Item name="perMinute" label={t.perMinute}><InputNumber min={1} placeholder="10000" style={{ width: 160 }} /></Form.Item>
                <Form.Item name="retries" label={t.retries}><InputNumber min={0} placeholder="0" style={{ width: 160 }} /></Form.Item>
                <Form.Item name="timeoutMinutes" label={t.timeout}><InputNumber min={1} suffix={t.minutes} style={{ width: 160 }} /></Form.Item>
              </>
            ),
          }]}
        />
      </Form>
    </Modal>
  )
}
