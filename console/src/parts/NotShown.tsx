import { Button, Flex, Result } from 'antd'
import { Link } from 'react-router'
import { Problem } from '../api/client'
import { appTexts } from '../app/texts'
import { useTexts } from '../i18n/texts'

// missing reports whether the server says that there is no such thing.
export const missing = (error: unknown) => error instanceof Problem && error.status === 404

// NotShown stands in the place of a page whose subject could not be read: why,
// and where to go from here.
export function NotShown({ error, again, to, toTitle }: { error: unknown; again: () => unknown; to: string; toTitle: string }) {
  const t = useTexts(appTexts)
  return (
    <Result
      status={missing(error) ? '404' : 'warning'}
      title={error instanceof Problem ? error.detail : t.offline}
      extra={
        <Flex gap={16} justify="center" align="center" wrap>
          <Link to={to}>{toTitle}</Link>
          <Button onClick={() => again()}>{t.again}</Button>
        </Flex>
      }
    />
  )
}
