import { Card, Flex, Typography } from 'antd'
import { useMe } from '../../app/session'
import { appTexts } from '../../app/texts'
import { useTexts } from '../../i18n/texts'
import { useRoles } from '../../parts/roles'
import { Tokens } from '../../parts/Tokens'
import { Everywhere } from './Everywhere'
import { MyPassword } from './MyPassword'
import { accountTexts } from './texts'

// Page is what belongs to who is signed in: password, access tokens, sessions.
export function Page() {
  const frame = useTexts(appTexts)
  const t = useTexts(accountTexts)
  const roles = useRoles()
  const me = useMe()
  if (!me) return null
  return (
    <Flex vertical gap={16} style={{ maxWidth: 960 }}>
      <div>
        <Typography.Title level={2} style={{ margin: 0 }}>{frame.account}</Typography.Title>
        <Typography.Text strong>{t.who(me.name, roles.names[me.role] ?? me.role)}</Typography.Text>
        <br />
        <Typography.Text type="secondary">{t.may[me.role]}</Typography.Text>
      </div>
      {me.operator && <Card title={t.password}><MyPassword /></Card>}
      <Card title={t.tokens}>
        <Typography.Paragraph type="secondary">{t.tokensHelp}</Typography.Paragraph>
        <Tokens mine />
      </Card>
      {me.operator && <Card title={t.everywhere}><Everywhere /></Card>}
    </Flex>
  )
}
