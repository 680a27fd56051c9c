import { useSearchParams } from 'react-router'

// A Filter is what the address says of which devices are wanted.
export type Filter = { text?: string; product?: string; state?: string; tag?: string; batch?: string }

const names = ['text', 'product', 'state', 'tag', 'batch'] as const

// useFilter keeps the filter in the address: it can be sent to somebody, and
// the browser's way back knows it.
export function useFilter(): [Filter, (change: Filter) => void] {
  const [query, setQuery] = useSearchParams()
  const filter: Filter = {}
  for (const name of names) {
    const value = query.get(name)
    if (value) filter[name] = value
  }
  const change = (part: Filter) => {
    const all: Filter = { ...filter, ...part }
    setQuery(Object.fromEntries(Object.entries(all).filter(([, v]) => v)) as Record<string, string>, { replace: true })
  }
  return [filter, change]
}
