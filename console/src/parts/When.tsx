import { Tooltip } from 'antd'
import { useLanguage } from '../i18n/texts'

// When is a moment in the visitor's zone and language; nothing where there is
// none. Hovered over, it shows the milliseconds and the zone.
export function When({ at }: { at?: string | undefined }) {
  const { language } = useLanguage()
  if (!at) return <>—</>
  const moment = new Date(at)
  const place = language === 'zh' ? 'zh-CN' : 'en-GB'
  const text = new Intl.DateTimeFormat(place, { dateStyle: 'medium', timeStyle: 'medium' }).format(moment)
  const exact = new Intl.DateTimeFormat(place, {
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, timeZoneName: 'short',
  }).format(moment)
  return (
    <Tooltip title={exact}>
      <time dateTime={at} style={{ whiteSpace: 'nowrap' }}>{text}</time>
    </Tooltip>
  )
}
