import { Alert, Flex, Skeleton, Tabs } from 'antd'
import { useParams, useSearchParams } from 'react-router'
import { may, useMe } from '../../app/session'
import { appTexts } from '../../app/texts'
import { useTexts } from '../../i18n/texts'
import { missing, NotShown } from '../../parts/NotShown'
import { Timeline } from '../../parts/Timeline'
import { Commands } from './Commands'
import { Connect } from './Connect'
import { Curves } from './Curves'
import { useDevice, useLive, useStatus, type Id } from './data'
import { Desired } from './Desired'
import { Events } from './Events'
import { Head } from './Head'
import { SubDevices, VersionsAndFiles } from './Lists'
import { deviceTexts } from './texts'
import { Values } from './Values'

export function Page() {
  const { product = '', device = '' } = useParams()
  return <Device key={`${product}/${device}`} id={{ product, device }} />
}

function Device({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const frame = useTexts(appTexts)
  const working = may(useMe(), 'operator')
  const [query, setQuery] = useSearchParams()
  const device = useDevice(id)
  const status = useStatus(id)
  const live = useLive(id)
  if (device.isPending) return <Skeleton active />
  if (!device.data || missing(device.error)) return <NotShown error={device.error} again={device.refetch} to="/devices" toTitle={frame.devices} />
  const open = (tab: string) => setQuery({ tab }, { replace: true })
  const items = [
    { key: 'values', label: t.values, children: <Values id={id} /> },
    { key: 'curves', label: t.curves, children: <Curves id={id} /> },
    { key: 'events', label: t.events, children: <Events id={id} /> },
    { key: 'commands', label: t.commands, children: <Commands id={id} /> },
    { key: 'timeline', label: t.timeline, children: <Timeline subject={id} /> },
    { key: 'connect', label: t.connect, disabled: !working, children: working ? <Connect id={id} toCurves={() => open('curves')} /> : <Alert type="info" showIcon title={t.operators} /> },
    { key: 'desired', label: t.desired, children: <Desired id={id} /> },
    { key: 'topology', label: t.topology, children: <SubDevices id={id} /> },
    { key: 'more', label: t.more, children: <VersionsAndFiles id={id} /> },
  ]
  return (
    <Flex vertical gap={8}>
      <Head id={id} device={device.data} status={status.data} live={live} connecting={query.get('tab') === 'connect'} />
      <Tabs activeKey={query.get('tab') ?? 'values'} onChange={open} destroyOnHidden items={items} />
    </Flex>
  )
}
