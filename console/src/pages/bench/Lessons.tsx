import { CheckCircleFilled, SendOutlined } from '@ant-design/icons'
import { Alert, Button, Card, Empty, Flex, Form, Select, Skeleton, theme, Tooltip, Typography } from 'antd'
import { useEffect, useState } from 'react'
import { Problem } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useLanguage, useTexts } from '../../i18n/texts'
import { lessons, type Lesson, type Step } from './lessons'
import type { Line } from './line'
import { hexOf } from './packets'
import { useSpeakers, useSubject } from './subject'
import { benchTexts } from './texts'

// Lessons are the tutorials' command lists for a device that the visitor
// picks, one click a line.
export function Lessons({ line, module, real }: { line: Line; module: Lesson['module']; real: boolean }) {
  const t = useTexts(benchTexts)
  const { language } = useLanguage()
  const fitting = lessons.filter((l) => l.module === module)
  const [id, setId] = useState(fitting[0]!.id)
  const lesson = fitting.find((l) => l.id === id) ?? fitting[0]!
  const [text, setText] = useState('')
  const kept = `matou.bench.${lesson.dialect}`
  const [device, setDevice] = useState<string | null>(() => localStorage.getItem(kept))
  const choose = (d: string) => {
    localStorage.setItem(kept, d)
    setDevice(d)
  }
  const speakers = useSpeakers(lesson.dialect, text)
  const options = (speakers.data ?? []).map((d) => ({ value: `${d.product}/${d.name}`, label: `${d.name} · ${d.product}` }))
  const chosen = device ?? options[0]?.value ?? null
  const [product, name] = chosen?.split('/') ?? []
  const subject = useSubject(product && name ? { product, device: name, dialect: lesson.dialect } : null, real)
  const missing = subject.error instanceof Problem && subject.error.status === 404 && device !== null
  useEffect(() => {
    if (!missing) return
    localStorage.removeItem(kept) // it was deleted since
    setDevice(null)
  }, [missing, kept])
  return (
    <Card size="small" title={t.lesson}>
      <Form layout="vertical">
        <Form.Item label={t.lesson} style={{ marginBottom: 12 }}>
          <Select aria-label={t.lesson} value={lesson.id} onChange={(v) => { setId(v); setDevice(localStorage.getItem(`matou.bench.${lessons.find((l) => l.id === v)?.dialect}`)) }} options={fitting.map((l) => ({ value: l.id, label: l[language] }))} />
        </Form.Item>
        <Form.Item label={t.forDevice} style={{ marginBottom: 12 }}>
          <Select aria-label={t.forDevice}
            showSearch={{ filterOption: false, onSearch: setText }} value={chosen} onChange={choose} options={options} loading={speakers.isFetching}
            placeholder={t.chooseDevice} notFoundContent={<Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t.noDevices(lesson.dialect)} />}
          />
        </Form.Item>
      </Form>
      {subject.error && <Alert type="error" showIcon title={subject.error.message} />}
      {real && subject.data?.host && /^(127\.|localhost$|::1$)/.test(subject.data.host) && <Alert type="warning" showIcon title={t.loopback(subject.data.host)} style={{ marginBottom: 12 }} />}
      {chosen === null && !speakers.isPending && <Alert type="info" showIcon title={t.noDevices(lesson.dialect)} />}
      {subject.isFetching && !subject.data && <Skeleton active />}
      {subject.data && subject.data.logins.length > 0 && <Steps key={`${lesson.id} ${chosen}`} steps={lesson.steps(subject.data)} line={line} />}
    </Card>
  )
}

function Steps({ steps, line }: { steps: Step[]; line: Line }) {
  const t = useTexts(benchTexts)
  const { language } = useLanguage()
  const { token } = theme.useToken()
  const me = useMe()
  const [done, setDone] = useState<ReadonlySet<number>>(new Set())
  const [next, setNext] = useState(0)
  useEffect(() => { if (line.state !== 'open') { setDone(new Set()); setNext(0) } }, [line.state])
  const ready = line.state === 'open' && may(me, 'operator')
  const send = (i: number) => {
    line.write(steps[i]!.send)
    setDone((d) => new Set(d).add(i))
    setNext(i + 1)
  }
  return (
    <>
      <Typography.Paragraph type="secondary">{t.lessonHelp}</Typography.Paragraph>
      <ol style={{ listStyle: 'none', margin: 0, padding: 0, maxHeight: 640, overflowY: 'auto' }}>
        {steps.map((s, i) => (
          <li key={i} style={{ borderTop: `1px solid ${token.colorBorderSecondary}`, padding: '8px 4px', background: i === next && ready ? token.controlItemBgActive : undefined }}>
            <Flex gap={8} align="start">
              <Tooltip title={done.has(i) ? t.sent : t.send}>
                <Button size="small" type={i === next ? 'primary' : 'default'} disabled={!ready} aria-label={`${t.send} ${s.show}`} onClick={() => send(i)}
                  icon={done.has(i) ? <CheckCircleFilled /> : <SendOutlined />} />
              </Tooltip>
              <div style={{ minWidth: 0, flex: 1 }}>
                <div className="mono" style={{ fontSize: 13, overflowWrap: 'anywhere' }}>{s.show}</div>
                {s.packet && <Bytes of={s.send} />}
                <Typography.Text type="secondary" style={{ fontSize: 12 }}>
                  {s[language]}
                  {s.expect && <> · {t.expect} <span className="mono">{s.expect}</span></>}
                </Typography.Text>
              </div>
            </Flex>
          </li>
        ))}
      </ol>
    </>
  )
}

function Bytes({ of }: { of: Uint8Array }) {
  const t = useTexts(benchTexts)
  return (
    <Typography.Paragraph
      className="mono" type="secondary" copyable={{ text: hexOf(of) }} style={{ fontSize: 11, marginBottom: 2, overflowWrap: 'anywhere' }}
    >
      {t.bytes(of.length)}: {(hexOf(of.slice(0, 24)).match(/../g) ?? []).join(' ')}{of.length > 24 ? ' …' : ''}
    </Typography.Paragraph>
  )
}
