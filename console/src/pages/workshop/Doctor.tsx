import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Empty, Flex, Form, Input } from 'antd'
import { api, must } from '../../api/client'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Diagnosis } from '../../parts/Diagnosis'
import { Refused } from '../../parts/Refused'
import { explainTexts } from '../../parts/sharedTexts'
import { filled } from './filled'
import { workshopTexts } from './texts'

type Login = { clientId?: string; username?: string; password?: string; hex?: string; secret?: string }

// Doctor finds the mistake in a login that failed elsewhere.
export function Doctor() {
  const t = useTexts(workshopTexts)
  const e = useTexts(explainTexts)
  const zh = useLanguage().language === 'zh'
  const ask = useMutation({ mutationFn: (body: Login) => must(api.POST('/api/v1/doctor', { body: filled(body) })) })
  return (
    <div className="halves">
      <Form layout="vertical" onValuesChange={ask.reset} onFinish={(v: Login) => ask.mutate(v)}>
        <Form.Item name="clientId" label={e.clientId}><Input className="mono" /></Form.Item>
        <Form.Item name="username" label={e.username}><Input className="mono" autoComplete="off" /></Form.Item>
        <Form.Item name="password" label={e.password}><Input className="mono" autoComplete="off" /></Form.Item>
        <Form.Item name="hex" label={t.orHex}><Input.TextArea className="mono" rows={3} /></Form.Item>
        <Form.Item name="secret" label={t.elsewhere} extra={t.elsewhereHelp}><Input.Password autoComplete="off" /></Form.Item>
        <Button type="primary" htmlType="submit" loading={ask.isPending}>{t.diagnose}</Button>
      </Form>
      <Flex vertical gap={16}>
        <Refused error={ask.error} />
        {ask.data?.ok && <Alert type="success" showIcon title={t.fine} description={[ask.data.product, ask.data.device].filter(Boolean).join(' / ')} />}
        {ask.data?.diagnosis && <Diagnosis of={ask.data.diagnosis} />}
        {(ask.data?.notes ?? []).map((n) => <Alert key={n.code} type="warning" showIcon title={zh ? n.sentenceZh : n.sentence} />)}
        {ask.isIdle && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t.diagnoseHint} />}
      </Flex>
    </div>
  )
}
