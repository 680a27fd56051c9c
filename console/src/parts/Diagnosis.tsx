import { Alert, Collapse, Descriptions, Flex, Typography } from 'antd'
import type { Schemas } from '../api/client'
import { useLanguage, useTexts } from '../i18n/texts'
import { CodePage } from './CodePage'
import { Difference } from './Difference'
import { explainTexts } from './sharedTexts'

// Diagnosis is the doctor's explanation of a refusal.
export function Diagnosis({ of: d }: { of: Partial<Schemas['Diagnosis']> }) {
  const t = useTexts(explainTexts)
  const zh = useLanguage().language === 'zh'
  const login = d.rightLogin
  const text = (s: string) => <Typography.Text className="mono" copyable style={{ overflowWrap: 'anywhere' }}>{s}</Typography.Text>
  return (
    <Flex vertical gap={12}>
      <Alert type="error" showIcon title={(zh ? d.sentenceZh : d.sentence) || d.code} description={(zh ? d.adviceZh : d.advice) || undefined} />
      {(d.expected || d.received) && <Difference expected={d.expected ?? ''} received={d.received ?? ''} />}
      {d.stringToSign && (
        <div>
          <Typography.Text type="secondary">{t.stringToSign}</Typography.Text>
          <div>{text(d.stringToSign)}</div>
        </div>
      )}
      {login && (
        <Descriptions
          title={t.right}
          column={1}
          size="small"
          bordered
          items={[
            { key: 'c', label: t.clientId, children: text(login.clientId) },
            { key: 'u', label: t.username, children: text(login.username) },
            { key: 'p', label: t.password, children: text(login.password) },
          ]}
        />
      )}
      {d.code && <Collapse size="small" destroyOnHidden items={[{ key: 'page', label: t.about(d.code), children: <CodePage code={d.code} /> }]} />}
    </Flex>
  )
}
