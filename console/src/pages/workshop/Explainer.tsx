import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Flex, Form, Input, Select } from 'antd'
import { api, must } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { Annotated } from '../../parts/Annotated'
import { workshopTexts } from './texts'

const example = '10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 63'

// Explainer says what each pasted byte means.
export function Explainer() {
  const t = useTexts(workshopTexts)
  const explain = useMutation({
    mutationFn: async (in_: { hex: string; version: string }) => ({
      hex: in_.hex.replace(/0x/gi, ''),
      explanation: await must(api.POST('/api/v1/explain', { body: { hex: in_.hex, ...(in_.version && { version: in_.version }) } })),
    }),
  })
  return (
    <Flex vertical gap={16}>
      <Form layout="vertical" initialValues={{ hex: example, version: '' }} onFinish={(v: { hex: string; version: string }) => explain.mutate(v)}>
        <Form.Item name="hex" label={t.bytes} rules={[{ required: true }]}><Input.TextArea className="mono" rows={4} /></Form.Item>
        <Form.Item name="version" label={t.version}>
          <Select style={{ width: 160 }} options={[{ value: '', label: t.guess }, ...['3.1', '3.1.1', '5.0'].map((value) => ({ value, label: value }))]} />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={explain.isPending}>{t.go}</Button>
      </Form>
      {explain.error && <Alert type="error" showIcon title={explain.error.message} />}
      {explain.data && <Annotated {...explain.data} />}
    </Flex>
  )
}
