import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'

// reachableKey is where the cache knows whether the server answers; who has
// reason to doubt it invalidates this.
export const reachableKey = ['reachable']

const usual = 15_000 // between two looks, in milliseconds
const down = 2_000 // between two while it does not answer

// useReachable reports whether the server answers. When it does again after it
// did not, everything that pages show is read anew.
export function useReachable(): boolean {
  const cache = useQueryClient()
  const missing = useQuery({
    queryKey: reachableKey,
    queryFn: async ({ signal }) => {
      const answer = await fetch('/healthz', { signal })
      if (!answer.ok) throw new Error(answer.statusText)
      return true
    },
    retry: false,
    refetchInterval: (q) => (q.state.status === 'error' ? down : usual),
  }).isError
  const was = useRef(false)
  useEffect(() => {
    if (was.current && !missing) void cache.invalidateQueries({ predicate: (q) => q.queryKey[0] !== reachableKey[0] })
    was.current = missing
  }, [missing, cache])
  return !missing
}
