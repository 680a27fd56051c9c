import { Alert } from 'antd'
import { useReachable } from '../api/reachable'
import { useTexts } from '../i18n/texts'
import { appTexts } from './texts'

// Offline says above every page that the server does not answer, for as long as
// it does not.
export function Offline() {
  const t = useTexts(appTexts)
  return useReachable() ? null : <Alert banner type="warning" role="status" title={t.unreachable} style={{ position: 'sticky', top: 0, zIndex: 11 }} />
}
