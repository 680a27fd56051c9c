import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { api, must, type Schemas } from '../../api/client'
import { useEffect } from 'react'
import { useStream } from '../../api/live'

export type Entry = Schemas['Entry']

// A Subject is whose timeline it is: a device, or null for what came that named
// none.
export type Subject = { product: string; device: string } | null

type Loaded = InfiniteData<Schemas['ListEntry'], string>

const asMany = 200 // as the server keeps of one device
const most = 1000 // on the page; the oldest go

// useTimeline reads what was said, newest first, and what is being said.
export function useTimeline(subject: Subject, kind?: string) {
  const cache = useQueryClient()
  const key = ['timeline', subject?.product ?? '', subject?.device ?? '', kind ?? '']
  const query = useInfiniteQuery({
    queryKey: key,
    initialPageParam: '',
    queryFn: ({ pageParam }) => {
      const asked = { limit: asMany, ...(pageParam && { after: pageParam }), ...(kind && { kind }) }
      return subject
        ? must(api.GET('/api/v1/products/{product}/devices/{device}/timeline', { params: { path: subject, query: asked } }))
        : must(api.GET('/api/v1/timeline', { params: { query: asked } }))
    },
    getNextPageParam: (last) => last.next,
    refetchInterval: subject ? false : 5000, // what named no device has no stream
  })
  const path = subject && `/api/v1/products/${encodeURIComponent(subject.product)}/devices/${encodeURIComponent(subject.device)}/timeline/stream`
  const live = useStream(path, ['entry'], (_, data) => {
    const entry = data as Entry
    if (kind && entry.kind !== kind) return
    cache.setQueryData<Loaded>(key, (old) => {
      const first = old?.pages[0]
      if (!old || !first || first.items?.some((e) => e.id === entry.id)) return old
      const items = [entry, ...(first.items ?? [])].slice(0, most)
      return { ...old, pages: [{ ...first, items }, ...old.pages.slice(1)] }
    })
  })
  // What was said while nobody listened is asked for.
  useEffect(() => {
    if (live) void cache.invalidateQueries({ queryKey: key })
  }, [live, ...key])
  return { query, live, entries: query.data?.pages.flatMap((p) => p.items ?? []) ?? [] }
}

// payloadText is the payload as text, where it is.
export function payloadText(e: Entry): string {
  if (!e.payload) return ''
  return new TextDecoder().decode(Uint8Array.from(atob(e.payload), (c) => c.charCodeAt(0)))
}
