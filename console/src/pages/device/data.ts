import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useStream } from '../../api/live'

export type Id = { product: string; device: string }

// A DataType is that of the thing model in Matou's own form.
export type DataType = {
  kind: string
  min?: number
  max?: number
  step?: number
  unit?: string
  labels?: { value: number; text: string }[]
  length?: number
}
type Param = { id: string; name: string; required: boolean; type: DataType }
export type Property = Param & { access: string }
export type Model = {
  properties?: Property[] | null
  events?: { id: string; name: string }[] | null
  services?: { id: string; name: string; async: boolean; input?: Param[] | null }[] | null
}

// keyOf is where the cache has a part of what is known of a device.
export const keyOf = (id: Id, ...part: unknown[]) => ['device', id.product, id.device, ...part]

export const useDevice = (id: Id) =>
  useQuery({ queryKey: keyOf(id, 'device'), queryFn: () => must(api.GET('/api/v1/products/{product}/devices/{device}', { params: { path: id } })) })

export const useStatus = (id: Id) =>
  useQuery({
    queryKey: keyOf(id, 'status'),
    queryFn: () => must(api.GET('/api/v1/products/{product}/devices/{device}/status', { params: { path: id } })),
    refetchInterval: 5000, // refusals are no event of the device
  })

export const useProduct = (product: string) =>
  useQuery({ queryKey: ['products', product], queryFn: () => must(api.GET('/api/v1/products/{product}', { params: { path: { product } } })) })

export const useLatest = (id: Id) =>
  useQuery({ queryKey: keyOf(id, 'latest'), queryFn: () => must(api.GET('/api/v1/products/{product}/devices/{device}/properties', { params: { path: id } })) })

export const useModel = (product: string) =>
  useQuery({
    queryKey: ['products', product, 'model', 'matou'],
    queryFn: async () => (await must(api.GET('/api/v1/products/{product}/model', { params: { path: { product }, query: { format: 'matou' } } }))) as unknown as Model,
  })

type Reported = { time: string; values: Record<string, unknown> }

// drawEvery is how often curves are drawn anew while reports come, in
// milliseconds; the last report is always drawn.
const drawEvery = 1500

// useLive writes what the device does into the cache as it happens.
export function useLive(id: Id): boolean {
  const cache = useQueryClient()
  const due = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(due.current), [])
  const path = `/api/v1/products/${encodeURIComponent(id.product)}/devices/${encodeURIComponent(id.device)}/stream`
  const stale = (...part: unknown[]) => void cache.invalidateQueries({ queryKey: keyOf(id, ...part) })
  return useStream(path, ['property', 'event', 'command', 'status', 'file', 'gap'], (event, data) => {
    switch (event) {
      case 'property': {
        const { time, values } = data as Reported
        cache.setQueryData<Schemas['ListLatest']>(keyOf(id, 'latest'), (old) => old && { ...old, items: merge(old.items ?? [], time, values) })
        due.current ??= setTimeout(() => {
          due.current = undefined
          stale('history')
        }, drawEvery)
        break
      }
      case 'event':
        stale('events')
        break
      case 'command':
        stale('commands')
        stale('desired')
        break
      case 'status':
        stale('status')
        stale('device')
        break
      case 'file':
        stale('files')
        break
      default:
        stale()
    }
  })
}

function merge(items: Schemas['Latest'][], time: string, values: Record<string, unknown>): Schemas['Latest'][] {
  const rest = { ...values }
  const moved = items.map((l) => {
    if (!(l.property in rest)) return l
    const value = rest[l.property]
    delete rest[l.property]
    return l.time && Date.parse(l.time) > Date.parse(time) ? l : { ...l, value, time }
  })
  return [...moved, ...Object.entries(rest).map(([property, value]) => ({ property, value, time }))]
}

// say writes a value for people, as its type has it.
export function say(value: unknown, type?: DataType): string {
  if (value === null || value === undefined) return '–'
  const label = type?.labels?.find((l) => l.value === Number(value))
  if (label?.text) return label.text
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
