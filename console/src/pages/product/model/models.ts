import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { api, must, type Schemas } from '../../../api/client'
import { mistakeIn } from '../../../parts/json'

// useModels are the draft and the published versions of a product's model.
export function useModels(product: string) {
  return useQuery({ queryKey: ['products', product, 'models'], queryFn: () => must(api.GET('/api/v1/products/{product}/models', { params: { path: { product } } })) })
}

// asText sends the text of a model as it stands, in whichever form: what is no
// JSON is refused in the API's own words.
const asText = (text: string) => ({ body: text as never, bodySerializer: (t: unknown) => t as string, headers: { 'Content-Type': 'application/json' } })

export const saveModel = (product: string, what: 'model' | 'models/draft', text: string) =>
  must<unknown>(api.PUT(`/api/v1/products/{product}/${what}`, { params: { path: { product } }, ...asText(text) }))

export const dropDraft = (product: string) => must(api.DELETE('/api/v1/products/{product}/models/draft', { params: { path: { product } } }))

export type Checked = Schemas['CheckedModel']

// useCheck is what the API says of a text once nobody has typed for a moment;
// `settled` is whether it speaks of the text as it is now. What is no JSON is
// not asked about: `mistake` says where.
export function useCheck(product: string, text: string) {
  const [asked, setAsked] = useState('')
  const mistake = useMemo(() => (text.trim() === '' ? undefined : mistakeIn(text)), [text])
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), 300)
    return () => clearTimeout(timer)
  }, [text])
  const check = useQuery({
    queryKey: ['model-check', product, asked],
    queryFn: () => must(api.POST('/api/v1/products/{product}/models/check', { params: { path: { product } }, ...asText(asked) })),
    enabled: asked.trim() !== '' && !mistake && asked === text,
    gcTime: 0,
  })
  const settled = !!mistake || (asked === text && !check.isFetching)
  return { data: settled && !mistake ? check.data : undefined, error: settled && !mistake ? check.error : null, settled, mistake }
}

// useConverted is a text in another form, with what that form has no place for.
export function useConverted(product: string, text: string, to: string) {
  return useQuery({
    queryKey: ['model-convert', product, to, text],
    queryFn: () => must(api.POST('/api/v1/products/{product}/models/convert', { params: { path: { product }, query: { to } }, ...asText(text) })),
    gcTime: 0,
  })
}
