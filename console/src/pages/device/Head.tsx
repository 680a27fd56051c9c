import { Alert, Button, Flex, Grid, Typography } from 'antd'
import { useState, type ReactNode } from 'react'
import { Link } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useLanguage, useTexts } from '../../i18n/texts'
import { DeviceState } from '../../parts/DeviceState'
import { Live } from '../../parts/Live'
import { useMoment } from '../../parts/Moment'
import { Secret } from '../../parts/Secret'
import { Actions } from './Actions'
import type { Id } from './data'
import { Nickname } from './Nickname'
import { Tags } from './Tags'
import { deviceTexts } from './texts'

type Props = { id: Id; device: Schemas['Device']; status: Schemas['Status'] | undefined; live: boolean; connecting: boolean }

// Head is who the device is, in which state, since when, and why.
export function Head({ id, device, status, live, connecting }: Props) {
  const t = useTexts(deviceTexts)
  const moment = useMoment()
  const zh = useLanguage().language === 'zh'
  const working = may(useMe(), 'operator')
  const state = status?.state ?? device.state
  const secret = async () => (await must(api.GET('/api/v1/products/{product}/devices/{device}', { params: { path: id, query: { secrets: true } } }))).secret ?? ''
  const narrow = !(Grid.useBreakpoint().md ?? true)
  const [more, setMore] = useState(false)
  const fact = (label: string, value: ReactNode, whole = false) => value && (
    <div key={label} style={whole ? { gridColumn: '1 / -1' } : undefined}>
      <dt>{label}</dt>
      <dd className={whole ? 'mono' : undefined}>{value}</dd>
    </div>
  )
  return (
    <Flex vertical gap={12}>
      <Flex gap={12} align="center" wrap>
        <Nickname id={id} device={device} able={working} />
        <DeviceState state={state} />
        {(status?.since ?? device.since) && <Typography.Text type="secondary">{t.since(moment(status?.since ?? device.since))}</Typography.Text>}
        <Live on={live} />
        <span style={{ flex: 1 }} />
        <Actions id={id} device={device} able={working} />
      </Flex>
      {narrow && <Button type="link" aria-expanded={more} onClick={() => setMore(!more)} style={{ padding: 0, alignSelf: 'start' }}>{more ? t.lessFacts : t.moreFacts}</Button>}
      {(!narrow || more) && (
        <dl className="facts">
          {fact('ProductKey', <Link to={`/products/${encodeURIComponent(device.product)}`}>{device.product}</Link>)}
          {fact('DeviceName', device.name)}
          {working && fact('DeviceSecret', <Secret key={device.updatedAt} name="DeviceSecret" allowed load={secret} />)}
          {state === 'OFFLINE' && fact(t.why, (zh && status?.offlineReasonZh) || status?.offlineReason)}
          {fact(t.address, status?.lastAddr)}
          {fact(t.protocol, status?.protocol && t.road(status.protocol))}
          {fact(t.activated, status?.activatedAt && moment(status.activatedAt))}
          {fact(t.lastOnline, status?.lastOnline && moment(status.lastOnline))}
          {fact(t.batch, device.batch)}
          {device.gateway && fact(t.gateway, <Link to={`/devices/${encodeURIComponent(device.gateway.product)}/${encodeURIComponent(device.gateway.device)}`}>{device.gateway.device}</Link>)}
          {fact(t.clientId, status?.clientId, true)}
        </dl>
      )}
      <Tags id={id} device={device} able={working} />
      {status?.lastRefusal && state !== 'ONLINE' && <Refused refusal={status.lastRefusal} />}
      {state === 'INACTIVE' && !status?.lastRefusal && !connecting && <Alert type="info" showIcon title={t.never} />}
    </Flex>
  )
}

// Refused explains why the device was turned away last.
function Refused({ refusal: r }: { refusal: Schemas['Refusal'] }) {
  const t = useTexts(deviceTexts)
  const moment = useMoment()
  const zh = useLanguage().language === 'zh'
  return (
    <Alert
      type="error"
      showIcon
      title={t.refused(r.count) + (zh ? r.sentenceZh : r.sentence)}
      description={
        <Flex vertical gap={4} style={{ wordBreak: 'break-all' }}>
          <span>{zh ? r.adviceZh : r.advice}</span>
          {r.expected && <span>{t.expected}: <code>{r.expected}</code></span>}
          {r.received && <span>{t.received}: <code>{r.received}</code></span>}
          <Typography.Text type="secondary">{moment(r.at)} · {r.addr} · {r.code}</Typography.Text>
        </Flex>
      }
    />
  )
}
