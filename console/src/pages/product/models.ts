import { useQuery } from '@tanstack/react-query'
import { api, must, type Schemas } from '../../api/client'

// useModels are the draft and the published versions of a product's model.
export function useModels(product: string) {
  return useQuery({ queryKey: ['products', product, 'models'], queryFn: () => must(api.GET('/api/v1/products/{product}/models', { params: { path: { product } } })) })
}

// sendModel sends the text of a model as it stands, in whichever form: what is
// no JSON is refused in the API's own words.
export async function sendModel(method: 'PUT' | 'POST' | 'DELETE', product: string, what: 'model' | 'models/draft' | 'models/check', text?: string): Promise<Schemas['ModelView']> {
  const call = { params: { path: { product } }, body: text, bodySerializer: (t: unknown) => t, headers: { 'Content-Type': 'application/json' } } as never
  const at = `/api/v1/products/{product}/${what}` as never
  const done = method === 'PUT' ? api.PUT(at, call) : method === 'POST' ? api.POST(at, call) : api.DELETE(at, call)
  return ((await must(done as Promise<{ data?: unknown }>)) ?? {}) as Schemas['ModelView']
}
