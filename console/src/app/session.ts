import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api, must, Problem, type Schemas } from '../api/client'

const key = ['me']

// useMe is who is signed in: undefined while that is being asked, null for
// nobody.
export function useMe(): Schemas['Me'] | null | undefined {
  return useQuery({
    queryKey: key,
    queryFn: async () => {
      try {
        return await must(api.GET('/api/v1/me'))
      } catch (e) {
        if (e instanceof Problem && e.status === 401) return null
        throw e
      }
    },
    staleTime: Infinity,
  }).data
}

// may reports whether somebody may do what a role may: viewer < operator <
// administrator. The server judges again.
export function may(me: Schemas['Me'] | null | undefined, role: 'viewer' | 'operator' | 'administrator'): boolean {
  const order = ['viewer', 'operator', 'administrator']
  return !!me && order.indexOf(me.role) >= order.indexOf(role)
}

export function useSignIn() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: (who: { name: string; password: string }) => must(api.POST('/api/v1/session', { body: { ...who, cookie: true } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: key }),
  })
}

export function useSignOut() {
  const cache = useQueryClient()
  return useMutation({
    mutationFn: () => must(api.DELETE('/api/v1/session')),
    // 'me' stays, as nobody: clearing it would not tell those who look at it.
    onSuccess: () => {
      cache.setQueryData(key, null)
      cache.removeQueries({ predicate: (query) => query.queryKey[0] !== key[0] })
    },
  })
}
