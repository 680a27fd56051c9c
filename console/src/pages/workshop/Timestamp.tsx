import { Alert, Button, Descriptions, Flex, Input } from 'antd'
import { useState } from 'react'
import { useLanguage, useTexts } from '../../i18n/texts'
import { workshopTexts } from './texts'

// Timestamp reads a moment in any of its usual forms and writes it in all.
export function Timestamp() {
  const t = useTexts(workshopTexts)
  const { language } = useLanguage()
  const [text, setText] = useState(() => String(Date.now()))
  const at = read(text)
  return (
    <Flex vertical gap={16}>
      <Flex gap={8} style={{ maxWidth: 560 }}>
        <Input value={text} onChange={(e) => setText(e.target.value)} aria-label={t.moment} placeholder={t.moment} />
        <Button onClick={() => setText(String(Date.now()))}>{t.now}</Button>
      </Flex>
      {Number.isNaN(at.getTime()) ? <Alert type="warning" title={t.notTime} /> : (
        <Descriptions
          bordered size="small" column={1} className="mono"
          items={[
            { key: 's', label: t.seconds, children: Math.floor(at.getTime() / 1000) },
            { key: 'ms', label: t.millis, children: at.getTime() },
            { key: 'l', label: t.local, children: new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'long' }).format(at) },
            { key: 'u', label: t.utc, children: at.toISOString() },
          ]}
        />
      )}
    </Flex>
  )
}

// read takes up to eleven digits as seconds, more as milliseconds.
function read(text: string): Date {
  const s = text.trim()
  if (!/^\d+$/.test(s)) return new Date(s)
  return new Date(s.length <= 11 ? Number(s) * 1000 : Number(s))
}
