import { Button, Result } from 'antd'
import { Link, useRouteError } from 'react-router'
import { useTexts } from '../i18n/texts'
import { appTexts } from './texts'

// Failed is what a visitor sees in the place of a page that is not there, or
// that broke.
export function Failed({ missing = false }: { missing?: boolean }) {
  const t = useTexts(appTexts)
  const error = useRouteError()
  if (missing) {
    return <Result status="404" title={t.notFound} extra={<Link to="/">{t.home}</Link>} />
  }
  return (
    <Result
      status="error"
      title={t.failed}
      subTitle={error instanceof Error ? error.message : undefined}
      extra={<Button onClick={() => location.reload()}>{t.again}</Button>}
    />
  )
}
