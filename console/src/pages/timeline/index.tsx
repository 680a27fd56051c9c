import { Empty, Flex, Switch, Tabs, Typography } from 'antd'
import { useSearchParams } from 'react-router'
import { appTexts } from '../../app/texts'
import { useTexts } from '../../i18n/texts'
import { Timeline } from '../../parts/Timeline'
import { Codes } from './Codes'
import { DevicePicker } from '../../parts/DevicePicker'
import { pageTexts } from './texts'

// Page shows whose timeline its address names: ?product=…&device=…, or ?nameless.
export function Page() {
  const t = useTexts(appTexts)
  const p = useTexts(pageTexts)
  const [asked, ask] = useSearchParams()
  const product = asked.get('product')
  const device = asked.get('device')
  const nameless = asked.has('nameless')
  const subject = product && device && !nameless ? { product, device } : undefined
  const talk = (
    <Flex vertical gap={16}>
      <Flex gap={16} wrap align="center">
        <DevicePicker value={subject} choose={(product, device) => ask({ product, device })} />
        <Flex gap={8} align="center" component="label">
          <Switch checked={nameless} onChange={(on) => ask(on ? { nameless: '1' } : {})} aria-label={p.nameless} />
          {p.nameless}
        </Flex>
      </Flex>
      {nameless ? <Timeline key="nameless" subject={null} /> : subject ? <Timeline key={`${product}/${device}`} subject={subject} /> : <Empty description={p.first} />}
    </Flex>
  )
  return (
    <>
      <Typography.Title level={2} style={{ marginTop: 0 }}>{t.timeline}</Typography.Title>
      <Tabs
        destroyOnHidden
        activeKey={asked.get('tab') ?? 'talk'}
        onChange={(tab) => ask((now) => {
          now.delete('tab')
          if (tab !== 'talk') now.set('tab', tab)
          return now
        })}
        items={[{ key: 'talk', label: p.tabTalk, children: talk }, { key: 'codes', label: p.codes, children: <Codes /> }]}
      />
    </>
  )
}
