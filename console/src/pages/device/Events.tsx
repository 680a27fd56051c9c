import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { Flex, Segmented, Select, Tag, Typography } from 'antd'
import { useSearchParams } from 'react-router'
import { api, must } from '../../api/client'
import { serverNow } from '../../api/clock'
import { useTexts } from '../../i18n/texts'
import { Moment } from '../../parts/Moment'
import { PagedTable } from '../../parts/PagedTable'
import { keyOf, say, useModel, type Id } from './data'
import { MomentInput, UpsideDown } from './MomentInput'
import { deviceTexts } from './texts'

const minute = 60_000
const spans = { any: 0, '1h': 60, '24h': 1440, '7d': 10080 } as const
type Span = keyof typeof spans | 'own'
const levels = ['info', 'alert', 'error'] as const
const colors: Record<string, string> = { error: 'error', alert: 'warning' }

// Events are those of a device, the newest first: all, or those of an identifier,
// a level, a time. What is looked for stands in the address.
export function Events({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const model = useModel(id.product)
  const [query, setQuery] = useSearchParams()
  const put = (changed: Record<string, string>) =>
    setQuery((old) => {
      for (const [name, value] of Object.entries(changed)) {
        if (value) old.set(name, value)
        else old.delete(name)
      }
      return old
    }, { replace: true })
  const event = query.get('event') ?? ''
  const level = levels.find((l) => l === query.get('level'))
  const [from, to] = [moment(query.get('from')), moment(query.get('to'))]
  const asked = query.get('span') ?? 'any'
  const span: Span = asked === 'own' && from && to ? 'own' : asked in spans ? (asked as Span) : 'any'
  const upsideDown = span === 'own' && from! >= to!
  const events = useInfiniteQuery({
    queryKey: keyOf(id, 'events', event, level, span, span === 'own' && [from, to]),
    enabled: !upsideDown,
    placeholderData: keepPreviousData,
    initialPageParam: '',
    queryFn: ({ pageParam }) => {
      const time = span === 'own' ? { from: new Date(from!).toISOString(), to: new Date(to!).toISOString() } : span === 'any' ? {} : { from: new Date(serverNow() - spans[span] * minute).toISOString() }
      return must(api.GET('/api/v1/products/{product}/devices/{device}/events', {
        params: { path: id, query: { limit: 100, order: 'desc', ...time, ...(event && { event }), ...(level && { level: [level] }), ...(pageParam && { after: pageParam }) } },
      }))
    },
    getNextPageParam: (last) => last.next || undefined,
  })
  const choose = (s: Span) =>
    put({ span: s === 'any' ? '' : s, from: s === 'own' ? String(serverNow() - 60 * minute) : '', to: s === 'own' ? String(serverNow()) : '' })
  const known = model.data?.events ?? []
  const options = known.map((e) => ({ value: e.id, label: e.name && e.name !== e.id ? `${e.name} · ${e.id}` : e.id }))
  return (
    <Flex vertical gap={12}>
      <Flex gap={8} wrap align="center">
        <Select
          aria-label={t.event}
          showSearch={{ optionFilterProp: 'label' }}
          value={event}
          onChange={(event: string) => put({ event })}
          options={[{ value: '', label: t.allEvents }, ...options, ...(event && !known.some((e) => e.id === event) ? [{ value: event, label: event }] : [])]}
          style={{ width: 240, maxWidth: '100%' }}
        />
        <Segmented aria-label={t.level} value={level ?? ''} onChange={(level) => put({ level })} options={[{ value: '', label: t.allLevels }, ...levels.map((value) => ({ value, label: t.levels[value]! }))]} />
        <Segmented<Span> aria-label={t.range} value={span} onChange={choose} options={[...(Object.keys(spans) as Span[]), 'own' as const].map((value) => ({ value, label: value === 'any' ? t.anyTime : t.ranges[value]! }))} />
      </Flex>
      {span === 'own' && (
        <Flex gap={8} wrap align="center">
          <MomentInput label={t.from} value={from!} change={(at) => put({ from: String(at) })} wrong={upsideDown} />
          <MomentInput label={t.to} value={to!} change={(at) => put({ to: String(at) })} wrong={upsideDown} />
          <UpsideDown when={upsideDown} />
        </Flex>
      )}
      <PagedTable
        found={events}
        none={event || level || span !== 'any' ? t.noSuchEvents : t.noEvents}
        rowKey={(e) => `${e.record}-${e.time}-${e.event}`}
        scroll={{ x: 520 }}
        columns={[
          { title: t.time, key: 'time', width: 190, render: (_, e) => <Moment time={e.time} /> },
          { title: t.event, key: 'event', render: (_, e) => known.find((m) => m.id === e.event)?.name || e.event },
          { title: t.level, key: 'level', width: 90, render: (_, e) => <Tag color={colors[e.level] ?? 'default'}>{t.levels[e.level] ?? e.level}</Tag> },
          { title: t.output, key: 'output', render: (_, e) => <Typography.Text code>{say(e.output)}</Typography.Text> },
        ]}
      />
    </Flex>
  )
}

// moment reads milliseconds from an address, undefined where they are none.
function moment(text: string | null): number | undefined {
  const at = Number(text)
  return text && !Number.isNaN(new Date(at).getTime()) ? at : undefined
}
