import { Tabs, Typography } from 'antd'
import { may, useMe } from '../../app/session'
import { appTexts } from '../../app/texts'
import { useTexts } from '../../i18n/texts'
import { MyPassword } from './MyPassword'
import { Operators } from './Operators'
import { accessTexts } from './texts'
import { Tokens } from './Tokens'

// Page is who may use Matou: people, programs, and one's own password.
export function Page() {
  const frame = useTexts(appTexts)
  const t = useTexts(accessTexts)
  const me = useMe()
  return (
    <>
      <Typography.Title level={2}>{frame.access}</Typography.Title>
      <Tabs
        items={[
          ...(may(me, 'administrator') ? [{ key: 'operators', label: t.operators, children: <Operators /> }] : []),
          { key: 'tokens', label: t.tokens, children: <Tokens /> },
          ...(me?.operator ? [{ key: 'mine', label: t.mine, children: <MyPassword /> }] : []),
        ]}
      />
    </>
  )
}
