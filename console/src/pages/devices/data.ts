import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useStream } from '../../api/live'
import type { Filter } from './filter'

export type Device = Schemas['Device']
export type Id = Schemas['ID']

export const pageSize = 50

export const keyOf = (d: Device) => `${d.product}/${d.name}`

const listKey = (filter: Filter, after: string | undefined) => ['devices', 'list', filter, after]

// list is a page of devices. A request that nobody waits for any more is given up.
const list = (filter: Filter, after: string | undefined, signal: AbortSignal) =>
  must(api.GET('/api/v1/devices', { params: { query: { ...filter, limit: pageSize, ...(after ? { after } : {}) } }, signal }))

// useDevices is a page of devices, and how many match in all. The next page is
// fetched before it is asked for. A stream tells when they are no longer right;
// without it they are asked for every few seconds.
export function useDevices(filter: Filter, after: string | undefined) {
  const cache = useQueryClient()
  const live = useNews(filter, after)
  const refetchInterval = live ? (false as const) : 5000
  const devices = useQuery({
    queryKey: listKey(filter, after),
    queryFn: ({ signal }) => list(filter, after, signal),
    placeholderData: (old) => old,
    refetchInterval,
  })
  const count = useQuery({
    queryKey: ['devices', 'count', filter],
    queryFn: async ({ signal }) => (await must(api.GET('/api/v1/devices/count', { params: { query: filter }, signal }))).count,
    placeholderData: (old) => old,
    refetchInterval,
  })
  const next = devices.data?.next
  const waiting = devices.isPlaceholderData
  useEffect(() => {
    if (next && !waiting) void cache.prefetchQuery({ queryKey: listKey(filter, next), queryFn: ({ signal }) => list(filter, next, signal), staleTime: 10_000 })
    // The filter is another object each time; its page's cursor is not.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [next, waiting])
  return { devices, count }
}

// useTags are the tags that devices have, of one product or of all, the most
// used first.
export function useTags(product: string | undefined) {
  const found = useQuery({
    queryKey: ['devices', 'tags', product ?? ''],
    queryFn: () => must(api.GET('/api/v1/devices/tags', { params: { query: product ? { product } : {} } })),
    placeholderData: (old) => old,
  })
  return (found.data?.items ?? []).map((tag) => ({ text: tag.value ? `${tag.name}=${tag.value}` : tag.name, devices: tag.devices }))
}

type News = { changed: Id[]; more?: boolean; listed?: boolean }

// useNews asks again for what is shown where it has changed, and reports whether
// it hears of that.
function useNews(filter: Filter, after: string | undefined): boolean {
  const cache = useQueryClient()
  const path = '/api/v1/devices/stream' + (filter.product ? `?product=${encodeURIComponent(filter.product)}` : '')
  return useStream(path, ['watching', 'devices'], (event, data) => {
    const news = data as News
    const shown = cache.getQueryData<Schemas['ListDevice']>(listKey(filter, after))?.items ?? []
    const seen = new Set(shown.map(keyOf))
    const touched = event === 'watching' || news.listed || news.more || news.changed.some((id) => seen.has(`${id.product}/${id.device}`))
    // With a filter, others may have come to match.
    if (touched || filter.state || filter.tag || filter.text) void cache.invalidateQueries({ queryKey: ['devices'] })
  })
}

// A Choice is devices to do something with: those named, or all that match.
export type Choice = { devices: Map<string, Device>; all: boolean }

export const nobody: Choice = { devices: new Map(), all: false }

const atOnce = 500

// parts are the chosen devices, some at a time.
export async function* parts(choice: Choice, filter: Filter, signal: AbortSignal): AsyncGenerator<Id[]> {
  const id = (d: Device): Id => ({ product: d.product, device: d.name })
  if (!choice.all) {
    const ids = [...choice.devices.values()].map(id)
    for (let i = 0; i < ids.length; i += atOnce) yield ids.slice(i, i + atOnce)
    return
  }
  let after: string | undefined
  do {
    const page = await must(api.GET('/api/v1/devices', { params: { query: { ...filter, limit: atOnce, ...(after ? { after } : {}) } }, signal }))
    if (page.items.length > 0) yield page.items.map(id)
    after = page.next
  } while (after)
}
