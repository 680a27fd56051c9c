import { PauseOutlined, PlayCircleOutlined } from '@ant-design/icons'
import { Alert, Button, Card, Empty, Flex, Input, Select, Skeleton, Typography } from 'antd'
import { Fragment, useState } from 'react'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Live } from '../Live'
import { LayersDrawer } from './LayersDrawer'
import { Row } from './Row'
import { timelineTexts } from './texts'
import { type Entry, payloadText, type Subject, useTimeline } from './useTimeline'
import { Watch } from './Watch'

// Timeline is what a device and Matou said to one another, live and past. A
// subject of null shows what came that named no device.
export function Timeline({ subject }: { subject: Subject }) {
  const t = useTexts(timelineTexts)
  const [kind, setKind] = useState<string>()
  const [code, setCode] = useState<string>()
  const [words, setWords] = useState('')
  const [chosen, setChosen] = useState<Entry>()
  const [held, hold] = useState<number>() // the newest that is shown
  const { query, live, entries: all } = useTimeline(subject, kind)
  const entries = held === undefined ? all : all.filter((e) => e.id <= held)
  const codes = [...new Set(entries.map((e) => e.code).filter((c) => c !== undefined))].sort()
  const shown = entries.filter((e) => (!code || e.code === code) && has(e, words))
  return (
    <Flex vertical gap={12}>
      <Flex gap={8} wrap align="center">
        <Input.Search allowClear value={words} onChange={(e) => setWords(e.target.value)} placeholder={t.search} aria-label={t.search} style={{ flex: '1 1 220px', maxWidth: 360 }} />
        <Select allowClear value={kind} onChange={setKind} placeholder={t.kind} aria-label={t.kind} style={{ width: 130 }} options={Object.entries(t.kinds).map(([value, label]) => ({ value, label }))} />
        <Select allowClear showSearch value={code} onChange={setCode} placeholder={t.code} aria-label={t.code} style={{ width: 190 }} options={codes.map((value) => ({ value, label: value }))} />
        <span style={{ flex: 1 }} />
        {subject && <Watch {...subject} />}
        {subject && held === undefined && <Button size="small" icon={<PauseOutlined />} disabled={all.length === 0} onClick={() => hold(all[0]?.id)}>{t.pause}</Button>}
        {held !== undefined && <Button size="small" type="primary" icon={<PlayCircleOutlined />} onClick={() => hold(undefined)}>{t.newer(all.length - entries.length)}</Button>}
        {subject && <Live on={live} />}
      </Flex>
      {query.error && <Alert type="error" showIcon title={t.failed} description={query.error.message} />}
      <Card styles={{ body: { padding: 0 } }}>
        {query.isPending && <div style={{ padding: 16 }}><Skeleton active /></div>}
        {query.isSuccess && shown.length === 0 && (
          <Empty style={{ padding: 32 }} description={entries.length > 0 ? t.nothingFits : <>{t.empty}<br /><Typography.Text type="secondary">{t.emptyHint}</Typography.Text></>} />
        )}
        {shown.map((e, i) => (
          <Fragment key={e.id}>
            <Day of={e} above={shown[i - 1]} />
            <Row entry={e} open={() => setChosen(e)} />
          </Fragment>
        ))}
      </Card>
      {query.hasNextPage && <Button onClick={() => void query.fetchNextPage()} loading={query.isFetchingNextPage} style={{ alignSelf: 'center' }}>{t.earlier}</Button>}
      <LayersDrawer subject={subject} entry={chosen} close={() => setChosen(undefined)} />
    </Flex>
  )
}

// Day stands above the entries of a day that is not today.
function Day({ of, above }: { of: Entry; above: Entry | undefined }) {
  const { language } = useLanguage()
  const day = (at: Date) => new Intl.DateTimeFormat(language, { dateStyle: 'full' }).format(at)
  const own = day(new Date(of.at))
  if (own === day(above ? new Date(above.at) : new Date())) return null
  return <Typography.Text type="secondary" strong style={{ display: 'block', padding: '12px 12px 4px' }}>{own}</Typography.Text>
}

function has(e: Entry, words: string): boolean {
  const w = words.trim().toLowerCase()
  return w === '' || [e.topic, e.sentence, e.sentenceZh, e.code, payloadText(e)].some((s) => s?.toLowerCase().includes(w))
}
