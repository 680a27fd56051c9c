import { Alert, Button, Collapse, Flex, Tag, Typography, theme } from 'antd'
import { useMemo, useState } from 'react'
import type { Schemas } from '../api/client'
import { useLanguage, useTexts } from '../i18n/texts'
import { bytesOf, hexOf, remainingLength } from './bytes'
import { byteMembers } from './members'
import { explainTexts } from './sharedTexts'

// Linked is what lights up together with other places of the page: names of
// members of the payload.
export type Linked = { names: readonly string[]; lit: string | undefined; light: (name?: string) => void }

const packetsAtOnce = 50
const bytesAtOnce = 2048

// Annotated shows bytes with the meaning of each: a field and its bytes light
// up together.
export function Annotated({ hex, explanation, linked }: { hex: string; explanation: Schemas['Explanation']; linked?: Linked }) {
  const t = useTexts(explainTexts)
  const bytes = useMemo(() => bytesOf(hex), [hex])
  const [shown, show] = useState(packetsAtOnce)
  const packets = explanation.packets ?? []
  return (
    <Flex vertical gap={16}>
      {packets.slice(0, shown).map((p) => (
        <Packet key={p.offset} packet={p} bytes={bytes} {...(linked && { linked })} />
      ))}
      {packets.length > shown && <Button onClick={() => show(shown + packetsAtOnce)} style={{ alignSelf: 'start' }}>{t.morePackets(packets.length - shown)}</Button>}
      {!!explanation.skipped && <Alert type="info" showIcon title={t.skipped(explanation.skipped)} />}
    </Flex>
  )
}

function Packet({ packet, bytes, linked }: { packet: Schemas['Annotated']; bytes: number[]; linked?: Linked }) {
  const t = useTexts(explainTexts)
  const zh = useLanguage().language === 'zh'
  const { token } = theme.useToken()
  const [lit, setLit] = useState<number>()
  const [shown, show] = useState(bytesAtOnce)
  const fields = packet.fields ?? []
  const own = bytes.slice(packet.offset, packet.offset + packet.length)
  const fieldAt = useMemo(() => {
    const of = new Int32Array(own.length).fill(-1)
    fields.forEach((f, i) => of.fill(i, f.offset - packet.offset, f.offset - packet.offset + f.length))
    return of
  }, [packet, own.length])
  const faulty = new Set((packet.faults ?? []).map((f) => f.offset))
  const length = remainingLength(own)
  const parts = useMemo(() => {
    const payload = linked && fields.find((f) => f.name === 'payload')
    if (!payload) return []
    return byteMembers(bytes.slice(payload.offset, payload.offset + payload.length), linked.names).map((m) => ({ ...m, from: m.from + payload.offset, to: m.to + payload.offset }))
  }, [packet, bytes, linked?.names])
  const partAt = (at: number) => parts.find((m) => at >= m.from && at < m.to)?.name
  return (
    <Flex vertical gap={8}>
      <Flex gap={8} wrap align="center">
        {packet.type && <Tag color="blue">{packet.type}</Tag>}
        <Typography.Text style={{ overflowWrap: 'anywhere' }}>{zh ? packet.summaryZH : packet.summary}</Typography.Text>
      </Flex>
      <div
        className="mono"
        role="img"
        aria-label={t.hexView}
        style={{ display: 'flex', flexWrap: 'wrap', background: token.colorFillQuaternary, borderRadius: 6, padding: 8, maxHeight: 300, overflow: 'auto' }}
      >
        {own.slice(0, shown).map((b, i) => {
          const at = packet.offset + i
          const field = fieldAt[i]!
          const part = partAt(at)
          const on = part !== undefined && linked?.lit !== undefined ? linked.lit === part : lit !== undefined && field === lit
          return (
            <span
              key={i}
              onMouseEnter={() => {
                setLit(field < 0 ? undefined : field)
                linked?.light(part)
              }}
              onMouseLeave={() => {
                setLit(undefined)
                linked?.light(undefined)
              }}
              title={[zh ? fields[field]?.nameZH : fields[field]?.name, part].filter(Boolean).join(' · ') || undefined}
              data-lit={on || undefined}
              style={{
                padding: '1px 4px',
                borderRadius: 3,
                background: on ? token.colorPrimary : undefined,
                color: on ? token.colorTextLightSolid : faulty.has(at) ? token.colorError : token.colorText,
                textDecoration: faulty.has(at) ? 'underline wavy' : undefined,
              }}
            >
              {hexOf(b)}
            </span>
          )
        })}
      </div>
      {own.length > shown && <Button size="small" onClick={() => show(shown + 4 * bytesAtOnce)} style={{ alignSelf: 'start' }}>{t.moreBytes(own.length - shown)}</Button>}
      <Faults faults={packet.faults ?? []} />
      <div style={{ maxHeight: 360, overflow: 'auto' }}>
        {fields.map((f, i) => (
          <div
            key={i}
            tabIndex={0}
            onMouseEnter={() => setLit(i)}
            onMouseLeave={() => setLit(undefined)}
            onFocus={() => setLit(i)}
            onBlur={() => setLit(undefined)}
            style={{ padding: '3px 6px', borderRadius: 4, background: lit === i ? token.colorPrimaryBg : undefined, overflowWrap: 'anywhere' }}
          >
            <span className="mono" style={{ display: 'inline-block', minWidth: '3ch', textAlign: 'end', color: token.colorTextSecondary, marginInlineEnd: 8 }}>{f.offset}</span>
            <b>{zh ? f.nameZH : f.name}</b> <span>{zh ? f.meaningZH : f.meaning}</span>
          </div>
        ))}
      </div>
      {packet.type !== '' && length.steps.length > 0 && (
        <Collapse
          size="small"
          defaultActiveKey={length.steps.length > 1 ? ['length'] : []}
          items={[{
            key: 'length',
            label: t.remaining,
            children: (
              <>
                {length.steps.map((s, i) => <div key={i}>{t.step(s.hex, s.low, s.factor, s.more)}</div>)}
                <div>{t.total(length.total)}</div>
              </>
            ),
          }]}
        />
      )}
    </Flex>
  )
}

function Faults({ faults }: { faults: Schemas['Fault'][] }) {
  const t = useTexts(explainTexts)
  const zh = useLanguage().language === 'zh'
  return faults.map((f, i) => (
    <Alert
      key={i}
      type="error"
      title={zh ? f.whatZH : f.what}
      description={
        <>
          {zh ? f.fixZH : f.fix}
          {f.corrected && (
            <div>
              {t.corrected}: <Typography.Text code copyable style={{ overflowWrap: 'anywhere' }}>{f.corrected}</Typography.Text>
            </div>
          )}
        </>
      }
    />
  ))
}
