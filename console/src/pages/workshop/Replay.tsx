import { PlayCircleOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Alert, Button, Checkbox, Flex, Tag, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { useLanguage, useTexts } from '../../i18n/texts'
import { DevicePicker } from '../../parts/DevicePicker'
import { Diagnosis } from '../../parts/Diagnosis'
import { Refused } from '../../parts/Refused'
import { raw } from './Captures'
import { Packets } from './Packets'
import { workshopTexts } from './texts'

// Replay says a conversation again, to this Matou: as it was, signed anew, or as
// another device.
export function Replay({ file, stream }: { file: Blob; stream: number }) {
  const t = useTexts(workshopTexts)
  const [resign, setResign] = useState(true)
  const [as, setAs] = useState<{ product: string; device: string }>()
  const play = useMutation({
    mutationFn: () => must(api.POST('/api/v1/replay', { params: { query: { stream, resign, ...(resign && as) } }, ...raw(file) })),
  })
  return (
    <Flex vertical gap={12}>
      <Flex gap={12} wrap align="center">
        <Button type="primary" icon={<PlayCircleOutlined />} loading={play.isPending} onClick={() => play.mutate()}>{t.replayIt}</Button>
        <Checkbox checked={resign} onChange={(e) => setResign(e.target.checked)}>{t.resign}</Checkbox>
        {resign && <Flex gap={8} align="center" wrap style={{ flex: '1 1 300px' }}><span>{t.replayAs}</span><DevicePicker value={as} choose={(product, device) => setAs({ product, device })} /></Flex>}
      </Flex>
      <Typography.Text type="secondary">{t.replayHelp}</Typography.Text>
      <Refused error={play.error} />
      {play.data && <Outcome of={play.data} as={as} />}
    </Flex>
  )
}

function Outcome({ of: r, as }: { of: Schemas['Replayed']; as: { product: string; device: string } | undefined }) {
  const t = useTexts(workshopTexts)
  const zh = useLanguage().language === 'zh'
  const bad = r.refused || r.differences > 0 || !!r.left || r.dropped || r.interrupted
  const said = [
    t.played(r.sent, r.received),
    r.differences > 0 ? t.differences(r.differences) : r.compared && !r.refused ? t.asRecorded : '',
    r.left ? t.notPlayed(r.left) : '', r.dropped && !r.refused ? t.dropped : '', r.interrupted ? t.interrupted : '',
  ].filter(Boolean).join(' ')
  return (
    <Flex vertical gap={12}>
      <Alert
        type={bad ? 'warning' : 'success'} showIcon title={said}
        {...(as && !r.refused && { action: <Link to={`/timeline?product=${encodeURIComponent(as.product)}&device=${encodeURIComponent(as.device)}`}>{t.toTimeline}</Link> })}
      />
      {r.diagnosis && <Diagnosis of={r.diagnosis} />}
      <Packets
        of={(r.steps ?? []).map((s) => ({
          ...(s.packet ?? { from: 'broker' as const, summary: '', summaryZH: '', hex: '', size: 0 }),
          afterMs: s.afterMs,
          what: s.kind === 'sent' || s.kind === 'received' ? undefined : <Tag color={s.kind === 'answered' ? 'default' : 'gold'}>{t.steps[s.kind] ?? s.kind}</Tag>,
          notes: [...((zh ? s.notesZh : s.notes) ?? []), ...((zh ? s.differsZh : s.differs) ?? []).map((d) => `≠ ${d}`)],
        }))}
      />
    </Flex>
  )
}
