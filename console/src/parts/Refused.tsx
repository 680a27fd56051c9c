import { Alert } from 'antd'
import { Problem } from '../api/client'
import { appTexts } from '../app/texts'
import { useTexts } from '../i18n/texts'

// Refused shows why the API did not do something, in its own words, with the
// places that it names.
export function Refused({ error }: { error: unknown }) {
  const t = useTexts(appTexts)
  if (!error) return null
  if (!(error instanceof Problem)) return <Alert type="warning" showIcon title={t.offline} />
  const places = error.errors.filter((e) => e.message && e.message !== error.detail)
  return (
    <Alert
      type="error"
      showIcon
      title={error.detail}
      description={places.length > 0 ? places.map((e, i) => <div key={i}>{[e.location, e.message].filter(Boolean).join(': ')}</div>) : undefined}
    />
  )
}
