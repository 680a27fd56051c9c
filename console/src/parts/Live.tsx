import { Badge } from 'antd'
import { texts, useTexts } from '../i18n/texts'

const liveTexts = texts({ live: 'live', again: 'connecting …' }, { live: '实时', again: '正在连接…' })

// Live says whether what is shown moves as it happens, or the way to the server
// is being looked for.
export function Live({ on }: { on: boolean }) {
  const t = useTexts(liveTexts)
  return <Badge status={on ? 'success' : 'warning'} text={on ? t.live : t.again} />
}
