import { Alert, Button } from 'antd'
import { Problem } from '../api/client'
import { texts, useTexts } from '../i18n/texts'

const troubleTexts = texts(
  { offline: 'Matou cannot be reached.', again: 'Try again' },
  { offline: '无法连接到码头。', again: '重试' },
)

// Trouble stands where something could not be read, and lets it be tried again.
export function Trouble({ error, again }: { error: Error | null; again: () => unknown }) {
  const t = useTexts(troubleTexts)
  if (!error) return null
  return (
    <Alert
      type="error"
      showIcon
      style={{ marginBottom: 16 }}
      title={error instanceof Problem ? error.detail : t.offline}
      action={<Button size="small" onClick={() => again()}>{t.again}</Button>}
    />
  )
}
