import { Card, Empty, Flex, Input, Skeleton, Typography } from 'antd'
import { useState } from 'react'
import { useTexts } from '../../i18n/texts'
import { Moment } from '../../parts/Moment'
import { Trouble } from '../../parts/Trouble'
import { say, useLatest, useModel, type Id } from './data'
import { deviceTexts } from './texts'

const many = 24 // cards among which one is looked for by name
const wide = 12 // characters above which a number needs smaller ones
const long = 40 // characters above which a value is a text

// Values are the latest values as cards; they move as reports arrive.
export function Values({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const latest = useLatest(id)
  const model = useModel(id.product)
  const [text, setText] = useState('')
  if (latest.isPending) return <Skeleton active />
  if (!latest.data) return <Trouble error={latest.error} again={latest.refetch} />
  const items = latest.data.items ?? []
  if (items.length === 0) return <Empty description={t.noValues} />
  const wanted = text.trim().toLowerCase()
  const shown = items.filter((l) => `${l.name ?? ''} ${l.property}`.toLowerCase().includes(wanted))
  return (
    <Flex vertical gap={12}>
      {items.length > many && <Input.Search aria-label={t.findValue} placeholder={t.findValue} allowClear value={text} onChange={(e) => setText(e.target.value)} style={{ maxWidth: 360 }} />}
      {shown.length === 0 && <Empty description={t.noSuchValue} />}
      <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fill, minmax(min(220px, 100%), 1fr))', gap: 12 }}>
        {shown.map((l) => {
          const type = model.data?.properties?.find((p) => p.id === l.property)?.type
          return (
            <Card key={l.property} size="small">
              <Flex vertical gap={2}>
                <Typography.Text type="secondary" ellipsis title={l.property}>
                  {l.name && l.name !== l.property ? `${l.name} · ${l.property}` : l.property}
                </Typography.Text>
                {l.time ? <Value text={say(l.value, type)} unit={l.unit} /> : <Typography.Text type="secondary">{t.noValue}</Typography.Text>}
                <Typography.Text type="secondary" style={{ fontSize: 12 }}>
                  <Moment time={l.time} />
                </Typography.Text>
              </Flex>
            </Card>
          )
        })}
      </div>
    </Flex>
  )
}

// Value is what was reported last: numbers and words in large letters, texts in
// small ones and cut short until somebody wants to see all.
function Value({ text, unit }: { text: string; unit: string | undefined }) {
  const t = useTexts(deviceTexts)
  if (text.length > long) {
    return (
      <Typography.Paragraph ellipsis={{ rows: 3, expandable: 'collapsible', symbol: (open) => (open ? t.less : t.all) }} style={{ marginBottom: 0, overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
        {text}
      </Typography.Paragraph>
    )
  }
  return (
    <Typography.Text strong style={{ fontSize: text.length > wide ? 16 : 22, wordBreak: 'break-word', fontVariantNumeric: 'tabular-nums' }}>
      {text}
      {unit && <small style={{ fontSize: 14 }}> {unit}</small>}
    </Typography.Text>
  )
}
