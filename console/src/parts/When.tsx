import { Tooltip } from 'antd'
import { useLanguage } from '../i18n/texts'
import { useMoment } from './Moment'

// When is a moment in the visitor's zone and language; nothing where there is
// none. Hovered over, it shows the milliseconds and the zone.
export function When({ at }: { at?: string | undefined }) {
  const { language } = useLanguage()
  const write = useMoment()
  if (!at) return <>—</>
  const exact = new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', {
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, timeZoneName: 'short',
  }).format(new Date(at))
  return (
    <Tooltip title={exact}>
      <time dateTime={at} style={{ whiteSpace: 'nowrap' }}>{write(at)}</time>
    </Tooltip>
  )
}
