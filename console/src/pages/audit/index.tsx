import { Typography } from 'antd'
import { appTexts } from '../../app/texts'
import { useTexts } from '../../i18n/texts'

export function Page() {
  const t = useTexts(appTexts)
  return <Typography.Title level={2}>{t.audit}</Typography.Title>
}
