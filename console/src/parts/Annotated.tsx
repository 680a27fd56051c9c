import { Alert, Collapse, Flex, Tag, Typography, theme } from 'antd'
import { useState } from 'react'
import type { Schemas } from '../api/client'
import { useLanguage, useTexts } from '../i18n/texts'
import { bytesOf, hexOf, remainingLength } from './bytes'
import { explainTexts } from './sharedTexts'

// Annotated shows bytes with the meaning of each: a field and its bytes light
// up together.
export function Annotated({ hex, explanation }: { hex: string; explanation: Schemas['Explanation'] }) {
  const bytes = bytesOf(hex)
  return (
    <Flex vertical gap={16}>
      {(explanation.packets ?? []).map((p) => (
        <Packet key={p.offset} packet={p} bytes={bytes} />
      ))}
    </Flex>
  )
}

function Packet({ packet, bytes }: { packet: Schemas['Annotated']; bytes: number[] }) {
  const t = useTexts(explainTexts)
  const zh = useLanguage().language === 'zh'
  const { token } = theme.useToken()
  const [lit, setLit] = useState<number>()
  const fields = packet.fields ?? []
  const fieldAt = (at: number) => fields.findIndex((f) => at >= f.offset && at < f.offset + f.length)
  const own = bytes.slice(packet.offset, packet.offset + packet.length)
  const faulty = new Set((packet.faults ?? []).map((f) => f.offset))
  const length = remainingLength(own)
  return (
    <Flex vertical gap={8}>
      <Flex gap={8} wrap align="center">
        {packet.type && <Tag color="blue">{packet.type}</Tag>}
        <Typography.Text>{zh ? packet.summaryZH : packet.summary}</Typography.Text>
      </Flex>
      <div
        className="mono"
        role="img"
        aria-label={t.hexView}
        style={{ display: 'flex', flexWrap: 'wrap', background: token.colorFillQuaternary, borderRadius: 6, padding: 8, maxHeight: 220, overflow: 'auto' }}
      >
        {own.map((b, i) => {
          const at = packet.offset + i
          const field = fieldAt(at)
          const on = lit !== undefined && field === lit
          return (
            <span
              key={i}
              onMouseEnter={() => setLit(field < 0 ? undefined : field)}
              onMouseLeave={() => setLit(undefined)}
              title={zh ? fields[field]?.nameZH : fields[field]?.name}
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
            <span className="mono" style={{ color: token.colorTextSecondary, marginInlineEnd: 8 }}>{f.offset}</span>
            <b>{zh ? f.nameZH : f.name}</b> <span>{zh ? f.meaningZH : f.meaning}</span>
          </div>
        ))}
      </div>
      {packet.type !== '' && length.steps.length > 0 && (
        <Collapse
          size="small"
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
