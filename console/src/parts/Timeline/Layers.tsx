import { Card, Flex, Tag, Typography, theme } from 'antd'
import { useMemo, useState } from 'react'
import type { Schemas } from '../../api/client'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Annotated, type Linked } from '../Annotated'
import { Diagnosis } from '../Diagnosis'
import { members } from '../members'
import { useMoment } from '../Moment'
import { timelineTexts } from './texts'

// Layers are the five layers of a message side by side. A name under the mouse
// is lit in all of them: in the values and the rows, in the text and in the
// very bytes.
export function Layers({ of: l }: { of: Schemas['LayersView'] }) {
  const t = useTexts(timelineTexts)
  const { language } = useLanguage()
  const zh = language === 'zh'
  const moment = useMoment()
  const [lit, setLit] = useState<string>()
  const names = useMemo(() => [...new Set([...(l.values ?? []), ...(l.stored ?? [])].map((v) => v.name))], [l])
  const linked: Linked = { names, lit, light: setLit }
  const none = (text: string) => <Typography.Text type="secondary">{text}</Typography.Text>
  const layer = (title: string, children: React.ReactNode, wide = false) => (
    <Card size="small" title={title} style={{ gridColumn: wide ? 'span 2' : undefined, minWidth: 0 }}>{children}</Card>
  )
  const named = (name: string, children: React.ReactNode) => <Named key={name} name={name} lit={lit} light={setLit}>{children}</Named>
  return (
    <Flex vertical gap={12}>
      <div className="layers">
        {layer(l.at ? `${t.at} · ${l.at.module}` : t.at, l.at ? <Spoken of={l.at} /> : none(t.noAt))}
        {layer(
          l.bytes ? `${t.wire} · ${l.bytes.source === 'recorded' ? t.recorded : t.reencoded}` : t.wire,
          l.bytes ? <Annotated hex={l.bytes.hex} explanation={l.bytes.explanation} linked={linked} /> : none(t.noBytes),
        )}
        {layer(t.message, l.message ? <Message of={l.message} linked={linked} /> : none(t.noMessage))}
        {layer(
          t.values,
          <Flex vertical gap={6}>
            {l.report && <Typography.Text type="secondary">{l.report.dialect} · {zh ? l.report.noteZh : l.report.note}</Typography.Text>}
            {l.report?.fault && <Diagnosis of={l.report.fault} />}
            {(l.values ?? []).length === 0 && !l.report && none(t.noValues)}
            {(l.values ?? []).map((v) => named(v.name, (
              <>
                <b>{v.name}</b> <span className="mono">{v.output ?? JSON.stringify(v.value)}</span>{' '}
                <Tag color={v.verdict === 'fits' ? 'green' : v.verdict === 'flagged' ? 'gold' : 'red'}>{t[v.verdict]}</Tag>
                {v.wanted && <div style={{ fontSize: 12 }}>{none(`${t.wanted} ${(zh && v.wantedZh) || v.wanted}`)}</div>}
                {(v.sentence || v.sentenceZh) && <div>{zh ? v.sentenceZh : v.sentence} {v.refusal && <Typography.Text code>{v.refusal}</Typography.Text>}</div>}
              </>
            )))}
          </Flex>,
        )}
        {layer(
          t.stored,
          (l.stored ?? []).length === 0 ? none(t.noStored) : (l.stored ?? []).map((r) => named(r.name, (
            <>
              <b>{r.name}</b> <span className="mono">{r.output ?? (r.value === undefined ? '' : JSON.stringify(r.value))}</span>
              <div style={{ fontSize: 12 }}>
                {none([
                  r.found ? '' : t.notFound,
                  r.time && moment(r.time),
                  r.record && `${t.record} ${r.record}`, r.state,
                ].filter(Boolean).join(' · '))}
              </div>
            </>
          ))),
        )}
      </div>
      {(l.followed ?? []).length > 0 && (
        <Card size="small" title={t.followed}>
          {(l.followed ?? []).map((e) => (
            <div key={e.id} style={{ overflowWrap: 'anywhere' }}>
              <Tag>{t.kinds[e.kind] ?? e.kind}</Tag>
              <span className="mono">{e.topic}</span> {zh ? e.sentenceZh : e.sentence}
            </div>
          ))}
        </Card>
      )}
    </Flex>
  )
}

function Named({ name, lit, light, children }: { name: string; lit: string | undefined; light: (name?: string) => void; children: React.ReactNode }) {
  const { token } = theme.useToken()
  return (
    <div
      tabIndex={0}
      onMouseEnter={() => light(name)}
      onMouseLeave={() => light(undefined)}
      onFocus={() => light(name)}
      onBlur={() => light(undefined)}
      style={{ padding: 4, borderRadius: 4, background: lit === name ? token.colorPrimaryBg : undefined, overflowWrap: 'anywhere' }}
    >
      {children}
    </div>
  )
}

// Spoken is the first layer: what was said on the module's serial line.
function Spoken({ of: a }: { of: Schemas['AT'] }) {
  const t = useTexts(timelineTexts)
  const lines = (text: string | undefined) => (text ?? '').split(/\r?\n|\r/).filter((line) => line.trim() !== '')
  return (
    <pre className="mono" style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', maxHeight: 420, overflow: 'auto' }} tabIndex={0} aria-label={t.at}>
      {lines(a.line).map((line, i) => <div key={i}><Typography.Text type="secondary">{'→ '}</Typography.Text><b>{line}</b></div>)}
      {lines(a.said).map((line, i) => <div key={i}><Typography.Text type="secondary">{'← '}</Typography.Text>{line}</div>)}
    </pre>
  )
}

// Message is the third layer; the members that the others have, too, are lit
// with them.
function Message({ of: m, linked: { names, lit, light } }: { of: Schemas['Message']; linked: Linked }) {
  const t = useTexts(timelineTexts)
  const { token } = theme.useToken()
  let text = m.text ?? m.payload ?? ''
  try {
    text = JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    // not JSON: as it is
  }
  const parts: React.ReactNode[] = []
  let at = 0
  for (const p of members(text, names)) {
    const on = p.name === lit
    parts.push(
      text.slice(at, p.from),
      <span key={p.from} onMouseEnter={() => light(p.name)} onMouseLeave={() => light(undefined)} style={{ borderRadius: 3, background: on ? token.colorPrimaryBg : undefined }}>
        {on ? <mark style={{ background: token.colorPrimary, color: token.colorTextLightSolid }}>{text.slice(p.from, p.named)}</mark> : text.slice(p.from, p.named)}
        {text.slice(p.named, p.to)}
      </span>,
    )
    at = p.to
  }
  return (
    <Flex vertical gap={8}>
      <Typography.Text className="mono" copyable style={{ overflowWrap: 'anywhere' }}>{m.topic}</Typography.Text>
      <Typography.Text type="secondary">QoS {m.qos} · {t.bytes(m.size)}{m.cut && ` · ${t.cut}`}</Typography.Text>
      <pre className="mono" style={{ margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', maxHeight: 420, overflow: 'auto' }} tabIndex={0} aria-label={t.message}>
        {parts}
        {text.slice(at)}
      </pre>
    </Flex>
  )
}
