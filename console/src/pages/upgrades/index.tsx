import { Alert, Flex, Tabs, Typography } from 'antd'
import { useState } from 'react'
import { useLocation } from 'react-router'
import type { Schemas } from '../../api/client'
import { appTexts } from '../../app/texts'
import { useTexts } from '../../i18n/texts'
import { ProductPick, useProduct } from '../../parts/ProductPick'
import { Jobs } from './Jobs'
import { Packages } from './Packages'
import { Start } from './Start'
import { upgradeTexts } from './texts'

// Page is the upgrades of a product: its packages, and the jobs that bring them
// to devices.
export function Page() {
  const frame = useTexts(appTexts)
  const t = useTexts(upgradeTexts)
  const [product, choose] = useProduct()
  const [tab, setTab] = useState('packages')
  const [job, setJob] = useState('')
  // Devices that were chosen in their list.
  const chosen = (useLocation().state as { devices?: string[] } | null)?.devices
  const [starting, setStarting] = useState<Schemas['Package'] | null>(null)
  return (
    <>
      <Flex justify="space-between" align="center" gap={12} wrap style={{ marginBottom: 8 }}>
        <Typography.Title level={2} style={{ margin: 0 }}>{frame.upgrades}</Typography.Title>
        <ProductPick value={product} choose={(key) => { setJob(''); choose(key) }} />
      </Flex>
      {chosen && <Alert type="info" showIcon title={t.forChosen(chosen.length)} style={{ marginBottom: 8 }} />}
      {product && (
        <Tabs
          activeKey={tab}
          onChange={setTab}
          items={[
            { key: 'packages', label: t.packages, children: <Packages product={product} start={setStarting} /> },
            { key: 'jobs', label: t.jobs, children: <Jobs product={product} job={job} open={setJob} /> },
          ]}
        />
      )}
      {starting && <Start pack={starting} {...(chosen ? { devices: chosen } : {})} close={() => setStarting(null)} started={(id) => { setStarting(null); setJob(id); setTab('jobs') }} />}
    </>
  )
}
