import { useQuery } from '@tanstack/react-query'
import { api, must, type Schemas } from '../../api/client'
import type { Subject } from './lessons'

const mostProducts = 20

// useSpeakers are devices that speak a dialect, or any ('').
export function useSpeakers(dialect: string, text: string) {
  return useQuery({
    queryKey: ['bench', 'speakers', dialect, text],
    queryFn: async ({ signal }) => {
      const products = (await must(api.GET('/api/v1/products', { params: { query: { limit: 1000 } }, signal }))).items
      const fit = products.filter((p) => (dialect === '' || p.dialect === dialect) && p.dataModel === 'thing' && p.devices > 0).slice(0, mostProducts)
      // Some of each: one product may have more devices than anybody looks through.
      const limit = Math.ceil(200 / Math.max(1, fit.length))
      const found = await Promise.all(fit.map((p) => must(api.GET('/api/v1/devices', { params: { query: { product: p.key, limit, ...(text ? { text } : {}) } }, signal }))))
      const devices = found.flatMap((f) => f.items)
      // Those that wait for their person come first.
      const rank = (d: Schemas['Device']) => (d.state === 'ONLINE' ? 1 : 0)
      return devices.sort((a, b) => rank(a) - rank(b))
    },
  })
}

type Model = { properties?: { id: string; access: string; type: { kind?: string; min?: number; max?: number } }[] | null }

function sampleOf(m: Model): Subject['sample'] {
  const p = m.properties?.find((p) => p.access !== 'write-only' && /int|float|double|number/i.test(p.type.kind ?? '')) ?? m.properties?.[0]
  if (!p) return { id: 'temp', value: 21.1 }
  const kind = p.type.kind ?? ''
  if (/bool/i.test(kind)) return { id: p.id, value: 1 }
  if (/text|string/i.test(kind)) return { id: p.id, value: 'ok' }
  const low = p.type.min ?? 0
  const high = p.type.max ?? 100
  const value = low <= 21.1 && high >= 21.1 ? 21.1 : low
  return { id: p.id, value: /float|double/i.test(kind) ? value : Math.round(value) }
}

// useSubject is all that a lesson says of a device.
export function useSubject(of: { product: string; device: string; dialect: string } | null, real: boolean) {
  return useQuery({
    queryKey: ['bench', 'subject', of, real],
    enabled: of !== null,
    staleTime: 60_000,
    queryFn: async (): Promise<Subject> => {
      const { product, device, dialect } = of!
      const path = { product, device }
      const [logins, found, model] = await Promise.all([
        must(api.GET('/api/v1/products/{product}/devices/{device}/credentials', { params: { path, query: { keepAlive: 100 } } })),
        must(api.GET('/api/v1/products/{product}/devices', { params: { path: { product }, query: { text: device, secrets: true, limit: 200 } } })),
        api.GET('/api/v1/products/{product}/model', { params: { path: { product }, query: { format: 'matou' } } }).then((r) => r.data as unknown as Model, () => ({})),
      ])
      const first = logins.items![0]!
      return {
        dialect, product, device, logins: logins.items ?? [], sample: sampleOf(model),
        secret: found.items?.find((d) => d.name === device)?.secret ?? '',
        host: real ? first.host : null, port: real ? first.port : 1883,
      }
    },
  })
}
