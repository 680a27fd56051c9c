import { useQuery } from '@tanstack/react-query'
import { Button, Card, Descriptions, Flex, Skeleton, Typography } from 'antd'
import { api, must } from '../../api/client'
import { may, useMe } from '../../app/session'
import { Switches } from '../../app/Switches'
import { appTexts } from '../../app/texts'
import { useTexts } from '../../i18n/texts'
import { Trouble } from '../../parts/Trouble'
import { When } from '../../parts/When'
import { Configuration } from './Configuration'
import { settingTexts } from './texts'

// Page is what this server is, and with what it runs.
export function Page() {
  const frame = useTexts(appTexts)
  const t = useTexts(settingTexts)
  const rules = may(useMe(), 'administrator')
  const status = useQuery({ queryKey: ['status'], queryFn: () => must(api.GET('/api/v1/status')) })
  const s = status.data
  return (
    <>
      <Typography.Title level={2} style={{ marginTop: 0 }}>{frame.settings}</Typography.Title>
      <Flex vertical gap={16}>
        <Trouble error={status.error} again={status.refetch} />
        <Card title={t.about}>
          {!s ? status.isPending && <Skeleton active paragraph={{ rows: 2 }} /> : (
            <Descriptions column={{ xs: 1, sm: 2, xl: 4 }} items={[
              { key: 'version', label: t.version, children: <span className="mono">{s.version}</span> },
              { key: 'started', label: t.started, children: <When at={s.started} /> },
              { key: 'devices', label: t.devices, children: `${s.devices.toLocaleString()} · ${t.online} ${s.online.toLocaleString()}` },
              { key: 'memory', label: t.memory, children: `${(s.memoryBytes / 1048576).toFixed(0)} MiB` },
            ]} />
          )}
          <a href="/api/docs">{t.docs}</a>
        </Card>
        <Card title={t.look}><Switches /></Card>
        <Card title={t.trust}>
          <Typography.Paragraph type="secondary">{t.caHint}</Typography.Paragraph>
          <Button href="/ca.pem" download="matou-ca.pem">{t.ca}</Button>
        </Card>
        <Card title={t.configuration}>{rules ? <Configuration /> : <Typography.Text type="secondary">{t.administrators}</Typography.Text>}</Card>
      </Flex>
    </>
  )
}
