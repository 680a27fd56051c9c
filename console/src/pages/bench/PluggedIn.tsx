import { Alert, Button, Flex, Form, Result, Select, Typography } from 'antd'
import { useState } from 'react'
import { useTexts } from '../../i18n/texts'
import { Desk } from './Desk'
import type { Lesson } from './lessons'
import { mayPlugIn, useSerialLine } from './serial'
import { benchTexts } from './texts'

const speeds = [9600, 19200, 38400, 57600, 74880, 115200, 230400, 460800, 921600]

// PluggedIn is a real module at the visitor's own machine.
export function PluggedIn() {
  const t = useTexts(benchTexts)
  if (!mayPlugIn) return <Result status="info" title={t.cannotPlug} subTitle={t.cannotPlugWhy} />
  return <Plugged />
}

function Plugged() {
  const t = useTexts(benchTexts)
  const line = useSerialLine()
  const [baud, setBaud] = useState(115200)
  const [module, setModule] = useState<Lesson['module']>('esp8266')
  const open = line.state === 'open'
  return (
    <Flex vertical gap={16}>
      <Typography.Text type="secondary">{t.plugHelp}</Typography.Text>
      <Form layout="inline" style={{ rowGap: 8 }}>
        <Form.Item label={t.module1}>
          <Select aria-label={t.module1} value={module} onChange={setModule} style={{ width: 140 }} options={[{ value: 'esp8266', label: 'ESP8266' }, { value: 'ec20', label: 'EC20' }, { value: 'nt35e', label: 'NT35E' }]} />
        </Form.Item>
        <Form.Item label={t.baud}>
          <Select aria-label={t.baud} value={baud} onChange={setBaud} disabled={open} style={{ width: 120 }} options={speeds.map((s) => ({ value: s, label: String(s) }))} />
        </Form.Item>
        <Button type={open ? 'default' : 'primary'} loading={line.state === 'opening'} onClick={() => void (open ? line.close() : line.open(baud))}>
          {open ? t.close : t.open}
        </Button>
      </Form>
      {line.error && <Alert type="error" showIcon title={t.mishaps[line.error.kind]} description={line.error.text} />}
      <Desk line={line} module={module} real title={t.terminal} />
    </Flex>
  )
}
