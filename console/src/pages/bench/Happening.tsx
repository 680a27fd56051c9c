import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Card, Collapse, Empty, Flex, Skeleton, Tag, Typography } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { api, must } from '../../api/client'
import { useLanguage, useTexts } from '../../i18n/texts'
import type { Event } from './line'
import { benchTexts } from './texts'

// Happening is what a module does: its AT lines, and the packets that they
// caused, explained when they are opened.
export function Happening({ events, clear }: { events: Event[]; clear: () => void }) {
  const t = useTexts(benchTexts)
  const list = useRef<HTMLDivElement>(null)
  const last = events[events.length - 1]
  useEffect(() => {
    const e = list.current
    if (e && e.scrollHeight - e.scrollTop - e.clientHeight < 160) e.scrollTop = e.scrollHeight
  }, [last])
  return (
    <Card size="small" title={t.happening} extra={<Button size="small" type="text" disabled={events.length === 0} onClick={clear}>{t.clear}</Button>}>
      {events.length === 0 ? (
        <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t.nothingYet} />
      ) : (
        <div ref={list} style={{ maxHeight: 420, overflowY: 'auto' }} tabIndex={0} role="log" aria-label={t.happening}>
          {events.map((e, i) => <One key={`${e.seq}.${e.time}.${i}`} event={e} />)}
        </div>
      )}
    </Card>
  )
}

function One({ event: e }: { event: Event }) {
  const t = useTexts(benchTexts)
  const { language } = useLanguage()
  const at = new Date(e.time).toLocaleTimeString(language === 'zh' ? 'zh-CN' : 'en-GB')
  const when = <Typography.Text type="secondary" style={{ fontSize: 12, flex: 'none', fontVariantNumeric: 'tabular-nums' }}>{at}</Typography.Text>
  if (e.kind === 'sent' || e.kind === 'received') return <Packet event={e} when={when} />
  const indent = e.cause ? 24 : 0
  const said = {
    line: <span className="mono" style={{ overflowWrap: 'anywhere', fontWeight: 600 }}>{e.text}</span>,
    boot: <Typography.Text type="secondary">{t.boot}</Typography.Text>,
    opened: <Typography.Text type="success">{t.opened(e.text ?? '', e.peer ?? '')}</Typography.Text>,
    closed: <Typography.Text type="secondary">{t.closed(e.text ?? '')}</Typography.Text>,
  }[e.kind] ?? <Typography.Text type="warning">{(language === 'zh' && e.textZh) || e.text}</Typography.Text>
  return <Flex gap={8} align="baseline" style={{ padding: '4px 0', paddingInlineStart: indent }}>{when}{said}</Flex>
}

function Packet({ event: e, when }: { event: Event; when: React.ReactNode }) {
  const t = useTexts(benchTexts)
  const [open, setOpen] = useState(false)
  const explained = useExplained(e.hex ?? '')
  const packets = explained.data?.packets ?? []
  const zh = useLanguage().language === 'zh'
  const head = packets.map((p) => (zh ? p.summaryZH : p.summary) || p.type).join(' · ')
  return (
    <Collapse
      ghost size="small" style={{ paddingInlineStart: e.cause ? 16 : 0 }} onChange={(k) => setOpen(k.length > 0)}
      items={[{
        key: 'p',
        label: (
          <Flex gap={8} align="baseline">
            {when}
            <Tag color={e.kind === 'sent' ? 'blue' : 'green'}>{e.kind === 'sent' ? t.out : t.in}</Tag>
            <span style={{ minWidth: 0, overflowWrap: 'anywhere' }}>{head || t.bytes(e.size ?? 0)}</span>
          </Flex>
        ),
        children: open && <Fields hex={e.hex ?? ''} />,
      }]}
    />
  )
}

function useExplained(hex: string) {
  return useQuery({
    queryKey: ['explain', hex],
    queryFn: () => must(api.POST('/api/v1/explain', { body: { hex, version: '3.1.1' } })),
    enabled: hex !== '',
    staleTime: Infinity,
  })
}

// Fields are the bytes of packets with what they mean, a line a field.
function Fields({ hex }: { hex: string }) {
  const t = useTexts(benchTexts)
  const { language } = useLanguage()
  const { data, isPending, error } = useExplained(hex)
  if (isPending) return <Skeleton active paragraph={{ rows: 2 }} />
  if (error) return <Alert type="error" title={error.message} />
  if (!data.packets?.length) return <><Typography.Text type="secondary">{t.noMQTT}</Typography.Text><div className="mono" style={{ overflowWrap: 'anywhere' }}>{hex}</div></>
  return (
    <>
      {data.packets.map((p) => (
        <div key={p.offset} style={{ overflowX: 'auto' }}>
          <table style={{ borderCollapse: 'collapse', fontSize: 12, width: '100%' }}>
            <thead><tr style={{ textAlign: 'start' }}>{[t.hex, t.field, t.meaning].map((h) => <th key={h} scope="col" style={{ textAlign: 'start', padding: '2px 8px' }}>{h}</th>)}</tr></thead>
            <tbody>
              {(p.fields ?? []).map((f) => (
                <tr key={`${f.offset} ${f.name}`} style={{ verticalAlign: 'top' }}>
                  <td className="mono" style={{ padding: '2px 8px', maxWidth: 220, overflowWrap: 'anywhere' }}>{short(f.bytes)}</td>
                  <td style={{ padding: '2px 8px' }}>{language === 'zh' ? f.nameZH : f.name}</td>
                  <td style={{ padding: '2px 8px', overflowWrap: 'anywhere' }}>{language === 'zh' ? f.meaningZH : f.meaning}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {(p.faults ?? []).map((f) => <Alert key={f.code + f.offset} type="warning" showIcon title={language === 'zh' ? f.whatZH : f.what} description={language === 'zh' ? f.fixZH : f.fix} />)}
        </div>
      ))}
    </>
  )
}

const short = (hex: string) => {
  const all = hex.replace(/\s/g, '').match(/../g) ?? []
  return all.slice(0, 16).join(' ') + (all.length > 16 ? ' …' : '')
}
