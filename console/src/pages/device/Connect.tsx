import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Descriptions, Flex, Select, Skeleton, Typography } from 'antd'
import { useEffect, useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useLanguage, useTexts } from '../../i18n/texts'
import { problemText } from '../../parts/problem'
import { useStatus, type Id } from './data'
import { deviceTexts } from './texts'

const targets = [
  ['at', 'ESP8266 / ESP32 · AT'],
  ['at-mqtt', 'ESP-AT 2.x · MQTT'],
  ['at-ec20', 'Quectel EC20'],
  ['at-nt35e', 'Lierda NT35E'],
  ['arduino', 'Arduino'],
  ['stm32', 'STM32'],
  ['node', 'Node.js'],
  ['python', 'Python'],
  ['c', 'C'],
  ['go', 'Go'],
  ['micropython', 'MicroPython'],
] as const
type Target = (typeof targets)[number][0]

// Connect shows what to paste for this very device, and tells when it worked.
export function Connect({ id, toCurves }: { id: Id; toCurves: () => void }) {
  const t = useTexts(deviceTexts)
  const { language } = useLanguage()
  const [target, setTarget] = useState<Target>('at')
  const online = useStatus(id).data?.state === 'ONLINE'
  const code = useQuery({
    queryKey: ['code', id, target],
    gcTime: 0,
    queryFn: () => must(api.GET('/api/v1/products/{product}/devices/{device}/code', { params: { path: id, query: { for: target } } })),
  })
  return (
    <Flex vertical gap={16}>
      <Alert
        type={online ? 'success' : 'info'}
        showIcon
        title={online ? t.online : t.waiting}
        action={online && <Button size="small" onClick={toCurves}>{t.toCurves}</Button>}
      />
      <Flex gap={8} align="center" wrap>
        <label htmlFor="target">{t.target}</label>
        <Select id="target" value={target} onChange={setTarget} options={targets.map(([value, label]) => ({ value, label }))} style={{ minWidth: 220 }} />
      </Flex>
      {code.isError && <Alert type="warning" showIcon title={problemText(code.error)} />}
      {code.isPending && <Skeleton active />}
      {code.data && (
        <div>
          <Flex justify="space-between" align="center" wrap gap={8}>
            <Typography.Text type="secondary">{language === 'zh' ? code.data.titleZh : code.data.title} · {code.data.file}</Typography.Text>
            <Typography.Text copyable={{ text: code.data.text, tooltips: false }}>{t.copy}</Typography.Text>
          </Flex>
          <pre style={{ maxHeight: 480, overflow: 'auto', border: '1px solid rgba(128,128,128,.3)', borderRadius: 6, padding: 12, fontSize: 12.5 }} tabIndex={0}>
            {code.data.text}
          </pre>
        </div>
      )}
      <Credentials id={id} />
    </Flex>
  )
}

// Credentials are asked for only when somebody wants to see them.
function Credentials({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const [shown, setShown] = useState(false)
  const logins = useQuery({
    queryKey: ['credentials', id],
    enabled: shown,
    gcTime: 0,
    queryFn: async () => (await must(api.GET('/api/v1/products/{product}/devices/{device}/credentials', { params: { path: id } }))).items ?? [],
  })
  return (
    <Flex vertical gap={24}>
      <Flex gap={12} align="center">
        <Typography.Title level={4} style={{ margin: 0 }}>
          {t.credentials}
        </Typography.Title>
        <Button onClick={() => setShown(!shown)} aria-expanded={shown}>
          {shown ? t.hide : t.secrets}
        </Button>
      </Flex>
      {shown && logins.isError && <Alert type="warning" showIcon title={problemText(logins.error)} />}
      {shown && logins.data?.map((l, i) => <Login key={l.method ?? i} login={l} />)}
    </Flex>
  )
}

function Login({ login }: { login: Schemas['LoginWithPacket'] }) {
  const t = useTexts(deviceTexts)
  const row = (key: string, label: string, value: string) => ({
    key,
    label,
    children: (
      <Typography.Text code copyable={{ text: value }} style={{ wordBreak: 'break-all' }}>
        {value}
      </Typography.Text>
    ),
  })
  return (
    <Flex gap={16} wrap align="start">
      <Descriptions
        style={{ flex: '1 1 300px', minWidth: 0 }}
        size="small"
        bordered
        column={1}
        title={login.method}
        items={[
          row('host', t.host, login.host),
          row('port', t.port, String(login.port)),
          row('client', 'ClientId', login.clientId),
          row('user', 'Username', login.username),
          row('password', 'Password', login.password),
          row('packet', t.packet(login.length), login.connect),
        ]}
      />
      <Code text={JSON.stringify({ host: login.host, port: login.port, clientId: login.clientId, username: login.username, password: login.password })} />
    </Flex>
  )
}

function Code({ text }: { text: string }) {
  const t = useTexts(deviceTexts)
  const [url, setUrl] = useState<string>()
  useEffect(() => {
    void import('qrcode').then((m) => m.toDataURL(text, { margin: 1, width: 200 })).then(setUrl, () => undefined)
  }, [text])
  return url ? <img src={url} alt={t.qr} width={200} height={200} /> : null
}
