import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Badge, Button, Descriptions, Flex, Tag, Typography } from 'antd'
import { Link, useNavigate } from 'react-router'
import { api, type Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useLanguage, useTexts } from '../../i18n/texts'
import { DeviceState } from '../../parts/DeviceState'
import { useMoment } from '../../parts/Moment'
import { problemText } from '../../parts/problem'
import { keyOf, type Id } from './data'
import { deviceTexts } from './texts'

type Props = { id: Id; device: Schemas['Device']; status: Schemas['Status'] | undefined; live: boolean }

// Head is who the device is, in which state, since when, and why.
export function Head({ id, device, status, live }: Props) {
  const t = useTexts(deviceTexts)
  const moment = useMoment()
  const working = may(useMe(), 'operator')
  const { modal, message } = App.useApp()
  const cache = useQueryClient()
  const navigate = useNavigate()
  const state = status?.state ?? device.state
  const params = { path: id }
  const change = useMutation({
    mutationFn: (enabled: boolean) => api.PATCH('/api/v1/products/{product}/devices/{device}', { params, body: { enabled } }),
    onError: (e) => void message.error(problemText(e)),
    onSettled: () => cache.invalidateQueries({ queryKey: keyOf(id) }),
  })
  const remove = async () => {
    try {
      await api.DELETE('/api/v1/products/{product}/devices/{device}', { params })
      await navigate('/devices')
    } catch (e) {
      void message.error(problemText(e))
    }
  }
  const sure = (title: string, okText: string, onOk: () => unknown) => modal.confirm({ title, okText, okButtonProps: { danger: true }, cancelText: t.cancel, onOk: () => void onOk() })
  const fact = (label: string, value: string | undefined) => (value ? [{ key: label, label, children: <span style={{ wordBreak: 'break-all' }}>{value}</span> }] : [])
  return (
    <Flex vertical gap={12}>
      <Flex gap={12} align="center" wrap>
        <Typography.Title level={2} style={{ margin: 0, wordBreak: 'break-all' }}>
          {device.nickname || device.name}
        </Typography.Title>
        <DeviceState state={state} />
        {(status?.since ?? device.since) && <Typography.Text type="secondary">{t.since(moment(status?.since ?? device.since))}</Typography.Text>}
        <Badge status={live ? 'success' : 'warning'} text={live ? t.live : t.notLive} />
        <span style={{ flex: 1 }} />
        <Link to={`/timeline?product=${encodeURIComponent(id.product)}&device=${encodeURIComponent(id.device)}`}>{t.timeline}</Link>
        <Button disabled={!working} loading={change.isPending} onClick={() => (device.enabled ? sure(t.sureDisable, t.disable, () => change.mutate(false)) : change.mutate(true))}>
          {device.enabled ? t.disable : t.enable}
        </Button>
        <Button danger disabled={!working} onClick={() => sure(t.sureDelete, t.delete, remove)}>{t.delete}</Button>
      </Flex>
      <Descriptions
        size="small"
        column={{ xs: 1, sm: 2, xl: 4 }}
        items={[
          ...fact('ProductKey', device.product),
          ...fact('DeviceName', device.name),
          ...(state === 'OFFLINE' ? fact(t.why, status?.offlineReason) : []),
          ...fact(t.address, status?.lastAddr),
          ...fact(t.protocol, status?.protocol),
          ...fact(t.clientId, status?.clientId),
          ...fact(t.activated, status?.activatedAt && moment(status.activatedAt)),
          ...fact(t.lastOnline, status?.lastOnline && moment(status.lastOnline)),
          ...fact(t.batch, device.batch),
          ...(device.gateway ? [{ key: 'gateway', label: t.gateway, children: <Link to={`/devices/${encodeURIComponent(device.gateway.product)}/${encodeURIComponent(device.gateway.device)}`}>{device.gateway.device}</Link> }] : []),
        ]}
      />
      {Object.entries(device.tags ?? {}).length > 0 && (
        <Flex gap={4} wrap>{Object.entries(device.tags ?? {}).map(([k, v]) => <Tag key={k}>{v ? `${k}=${v}` : k}</Tag>)}</Flex>
      )}
      {status?.lastRefusal && state !== 'ONLINE' && <Refused refusal={status.lastRefusal} />}
      {state === 'INACTIVE' && !status?.lastRefusal && <Alert type="info" showIcon title={t.never} />}
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
