import { Alert } from 'antd'
import type { Schemas } from '../../../api/client'
import { useTexts } from '../../../i18n/texts'
import { modelTexts } from './texts'

// Lost names what did not come along from one form of a model to another.
export function Lost({ lost }: { lost: Schemas['Loss'][] | null }) {
  const t = useTexts(modelTexts)
  if (!lost?.length) return <Alert type="success" showIcon title={t.nothingLost} />
  return (
    <Alert
      type="warning"
      showIcon
      title={t.lost(lost.length)}
      description={
        <ul tabIndex={0} aria-label={t.lost(lost.length)} style={{ margin: 0, paddingInlineStart: 18, maxHeight: 220, overflow: 'auto' }}>
          {lost.map((l, i) => (
            <li key={i} className="mono" style={{ overflowWrap: 'anywhere' }}>
              {l.path}: {l.was} → {l.became || t.gone}
            </li>
          ))}
        </ul>
      }
    />
  )
}
