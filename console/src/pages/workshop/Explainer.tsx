import { useMutation } from '@tanstack/react-query'
import { Button, Flex, Form, Input, Select } from 'antd'
import { api, must } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { Annotated } from '../../parts/Annotated'
import { Refused } from '../../parts/Refused'
import { workshopTexts } from './texts'

const example = '10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 63'
const atMost = 1_000_000 // characters: the API takes no larger body

// Explainer says what each pasted byte means.
export function Explainer() {
  const t = useTexts(workshopTexts)
  const explain = useMutation({
    mutationFn: (v: { hex: string; version: string }) => must(api.POST('/api/v1/explain', { body: { hex: v.hex, ...(v.version && { version: v.version }) } })),
  })
  return (
    <Flex vertical gap={16}>
      <Form layout="vertical" initialValues={{ hex: example, version: '' }} onValuesChange={explain.reset} onFinish={(v: { hex: string; version: string }) => explain.mutate(v)}>
        <Form.Item name="hex" label={t.bytes} rules={[{ required: true }, { max: atMost, message: t.tooLong }]}><Input.TextArea className="mono" rows={4} /></Form.Item>
        <Form.Item name="version" label={t.version}>
          <Select style={{ width: 160 }} options={[{ value: '', label: t.guess }, ...['3.1', '3.1.1', '5.0'].map((value) => ({ value, label: value }))]} />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={explain.isPending}>{t.go}</Button>
      </Form>
      <Refused error={explain.error} />
      {explain.data && <Annotated key={explain.submittedAt} hex={explain.data.hex} explanation={explain.data} />}
    </Flex>
  )
}
