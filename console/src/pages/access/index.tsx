import { Tabs, Typography } from 'antd'
import { Navigate } from 'react-router'
import { may, useMe } from '../../app/session'
import { appTexts } from '../../app/texts'
import { useTexts } from '../../i18n/texts'
import { Tokens } from '../../parts/Tokens'
import { Operators } from './Operators'
import { accessTexts } from './texts'

// Page is who may use Matou: people and programs. It is the administrators';
// others have what is their own under 'my account'.
export function Page() {
  const frame = useTexts(appTexts)
  const t = useTexts(accessTexts)
  if (!may(useMe(), 'administrator')) return <Navigate to="/account" replace />
  return (
    <>
      <Typography.Title level={2} style={{ marginTop: 0 }}>{frame.access}</Typography.Title>
      <Tabs
        items={[
          { key: 'operators', label: t.operators, children: <Operators /> },
          { key: 'tokens', label: t.tokens, children: <Tokens /> },
        ]}
      />
    </>
  )
}
