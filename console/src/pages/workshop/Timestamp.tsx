import { Alert, Button, Descriptions, Flex, Input } from 'antd'
import { useEffect, useState } from 'react'
import { useLanguage, useTexts } from '../../i18n/texts'
import { workshopTexts } from './texts'

// Timestamp reads a moment in any of its usual forms and writes it in all.
export function Timestamp() {
  const t = useTexts(workshopTexts)
  const { language } = useLanguage()
  const [text, setText] = useState(() => String(Date.now()))
  const now = useNow()
  const read = readMoment(text)
  const mono = (s: string | number) => <span className="mono">{s}</span>
  return (
    <Flex vertical gap={16} style={{ maxWidth: 720 }}>
      <Flex gap={8}>
        <Input className="mono" value={text} onChange={(e) => setText(e.target.value)} aria-label={t.moment} placeholder={t.moment} status={read ? '' : 'error'} allowClear />
        <Button onClick={() => setText(String(Date.now()))}>{t.now}</Button>
      </Flex>
      {!read ? <Alert type="warning" showIcon title={t.notTime} description={t.timeForms} /> : (
        <Descriptions
          bordered size="small" column={1}
          items={[
            { key: 'as', label: t.readAs, children: t.forms[read.form] },
            { key: 's', label: t.seconds, children: mono(Math.floor(read.at.getTime() / 1000)) },
            { key: 'ms', label: t.millis, children: mono(read.at.getTime()) },
            { key: 'l', label: t.local, children: new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'full', timeStyle: 'long' }).format(read.at) },
            { key: 'u', label: t.utc, children: mono(read.at.toISOString()) },
            { key: 'n', label: t.fromNow, children: distance(read.at.getTime() - now, language) },
          ]}
        />
      )}
    </Flex>
  )
}

// useNow is the time, anew each second.
function useNow() {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const tick = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(tick)
  }, [])
  return now
}

type Form = 'seconds' | 'millis' | 'micros' | 'nanos' | 'date'

const digits: [number, Form, number][] = [[11, 'seconds', 1000], [14, 'millis', 1], [17, 'micros', 1 / 1000], [20, 'nanos', 1 / 1_000_000]]

// readMoment tells by the number of digits what they count; all else is a date,
// which begins with its year: browsers see dates in all kinds of words.
export function readMoment(text: string): { at: Date; form: Form } | undefined {
  const s = text.trim()
  if (/^-?\d+$/.test(s)) {
    const [, form, ms] = digits.find(([most]) => s.replace('-', '').length <= most) ?? []
    const at = new Date(Math.floor(Number(s) * (ms ?? NaN)))
    return form && !Number.isNaN(at.getTime()) ? { at, form } : undefined
  }
  if (!/^\d{4}[-/年]/.test(s)) return undefined
  const iso = s.replace(/[年月/]/g, '-').replace('日', ' ').replace(/-(?=\d(?!\d))/g, '-0').replace(/^(\d{4}-\d\d-\d\d)\s+/, '$1T').replace(/T(?=\d:)/, 'T0')
  const at = new Date(/^\d{4}-\d\d-\d\dT?$/.test(iso) ? `${iso.replace('T', '')}T00:00` : iso) // a day begins in the visitor's zone
  return Number.isNaN(at.getTime()) ? undefined : { at, form: 'date' }
}

const units: [Intl.RelativeTimeFormatUnit, number][] = [['year', 31_556_952], ['month', 2_629_746], ['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]]

// distance says how long ago that is, or in how long.
function distance(ms: number, language: string): string {
  const s = Math.trunc(ms / 1000)
  const [unit, size] = units.find(([, size]) => Math.abs(s) >= size) ?? units[units.length - 1]!
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(Math.trunc(s / size), unit)
}
