import { Flex, Tabs, Typography } from 'antd'
import { useSearchParams } from 'react-router'
import { useTexts } from '../../i18n/texts'
import { Fleets } from './fleets'
import { PluggedIn } from './PluggedIn'
import { Simulated } from './Simulated'
import { benchTexts } from './texts'
import { VirtualModules } from './VirtualModules'

export function Page() {
  const t = useTexts(benchTexts)
  const [query, setQuery] = useSearchParams()
  return (
    <Flex vertical gap={8}>
      <div>
        <Typography.Title level={2} style={{ margin: 0 }}>
          {t.title}
        </Typography.Title>
        <Typography.Text type="secondary">{t.about}</Typography.Text>
      </div>
      <Tabs
        activeKey={query.get('tab') ?? 'virtual'}
        onChange={(tab) => setQuery({ tab }, { replace: true })}
        destroyOnHidden
        items={[
          { key: 'virtual', label: t.virtual, children: <VirtualModules /> },
          { key: 'plugged', label: t.plugged, children: <PluggedIn /> },
          { key: 'simulated', label: t.simulated, children: <Simulated /> },
          { key: 'fleets', label: t.fleets, children: <Fleets /> },
        ]}
      />
    </Flex>
  )
}
