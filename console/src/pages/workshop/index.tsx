import { Alert, Tabs, Typography } from 'antd'
import { useSearchParams } from 'react-router'
import { may, useMe } from '../../app/session'
import { appTexts } from '../../app/texts'
import { useTexts } from '../../i18n/texts'
import { Builder } from './Builder'
import { Captures } from './Captures'
import { Client } from './Client'
import { Doctor } from './Doctor'
import { Explainer } from './Explainer'
import { Signer } from './Signer'
import { workshopTexts } from './texts'
import { Timestamp } from './Timestamp'

// Page is the tools, one a tab: ?tool=sign opens one.
export function Page() {
  const a = useTexts(appTexts)
  const t = useTexts(workshopTexts)
  const allowed = may(useMe(), 'operator')
  const [asked, ask] = useSearchParams()
  const guarded = (tool: React.ReactNode) => (allowed ? tool : <Alert type="info" showIcon title={t.needs} />)
  return (
    <>
      <Typography.Title level={2} style={{ marginTop: 0 }}>{a.workshop}</Typography.Title>
      <Tabs
        activeKey={asked.get('tool') ?? 'explain'}
        onChange={(tool) => ask({ tool })}
        items={[
          { key: 'explain', label: t.explain, children: <Explainer /> },
          { key: 'build', label: t.build, children: guarded(<Builder />) },
          { key: 'sign', label: t.sign, children: guarded(<Signer />) },
          { key: 'time', label: t.time, children: <Timestamp /> },
          { key: 'doctor', label: t.doctor, children: guarded(<Doctor />) },
          { key: 'client', label: t.client, children: <Client /> },
          { key: 'replay', label: t.replay, children: guarded(<Captures />) },
        ]}
      />
    </>
  )
}
