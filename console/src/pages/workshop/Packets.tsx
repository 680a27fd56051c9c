import { useQuery } from '@tanstack/react-query'
import { Button, Collapse, Flex, Skeleton, Tag, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Annotated } from '../../parts/Annotated'
import { Refused } from '../../parts/Refused'
import { workshopTexts } from './texts'

// A Shown is a packet of a conversation, with what is to be said of it.
export type Shown = Omit<Schemas['Spoken'], 'afterMs'> & { afterMs?: number | undefined; what?: React.ReactNode; notes?: string[] }

const atOnce = 100

// Packets lists the packets of a conversation; one that is opened is explained.
export function Packets({ of }: { of: Shown[] }) {
  const t = useTexts(workshopTexts)
  const zh = useLanguage().language === 'zh'
  const [shown, show] = useState(atOnce)
  return (
    <>
      <Collapse
        size="small"
        destroyOnHidden
        items={of.slice(0, shown).map((p, i) => ({
          key: i,
          label: (
            <Flex gap={8} wrap style={{ overflowWrap: 'anywhere' }}>
              {p.afterMs !== undefined && <span className="mono">{(p.afterMs / 1000).toFixed(3)} s</span>}
              <Tag color={p.from === 'device' ? 'blue' : 'purple'}>{p.from === 'device' ? t.fromDevice : t.fromBroker}</Tag>
              {p.what}
              {!!p.faults && <Tag color="red">{t.faults(p.faults)}</Tag>}
              <span style={{ minWidth: 0 }}>{(zh ? p.summaryZH : p.summary) || p.type}</span>
              {(p.notes ?? []).map((n, j) => <Typography.Text key={j} type="secondary" style={{ flexBasis: '100%' }}>{n}</Typography.Text>)}
            </Flex>
          ),
          ...(p.hex ? { children: <Spoken of={p} /> } : { showArrow: false, collapsible: 'disabled' as const }),
        }))}
      />
      {of.length > shown && <Button onClick={() => show(shown + atOnce)} style={{ alignSelf: 'start' }}>{t.more(of.length - shown)}</Button>}
    </>
  )
}

function Spoken({ of: p }: { of: Shown }) {
  const t = useTexts(workshopTexts)
  const explained = useQuery({
    queryKey: ['explain', p.hex, p.version],
    queryFn: () => must(api.POST('/api/v1/explain', { body: { hex: p.hex, ...(p.version && { version: p.version }) } })),
    staleTime: Infinity,
  })
  if (explained.error) return <Refused error={explained.error} />
  if (!explained.data) return <Skeleton active />
  return (
    <>
      {p.size > p.hex.length / 2 && <Typography.Paragraph type="secondary">{t.beginning(p.hex.length / 2, p.size)}</Typography.Paragraph>}
      <Annotated hex={p.hex} explanation={explained.data} />
    </>
  )
}
