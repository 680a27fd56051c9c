import { useState } from 'react'
import type { Login } from './useClient'

// A Profile is a login under a name; its password is kept only where the
// visitor asks for it.
export type Profile = Login & { profile?: string; keepSecret?: boolean }

const kept = 'matou.mqtt.profiles'

function read(): Profile[] {
  try {
    const all: unknown = JSON.parse(localStorage.getItem(kept) ?? '[]')
    return Array.isArray(all) ? (all as Profile[]).filter((p) => p?.profile) : []
  } catch {
    return []
  }
}

// useProfiles are the profiles that this browser keeps.
export function useProfiles() {
  const [all, setAll] = useState(read)
  const keep = (next: Profile[]) => {
    localStorage.setItem(kept, JSON.stringify(next))
    setAll(next)
  }
  return {
    all,
    save: ({ password, ...p }: Profile) => keep([...all.filter((x) => x.profile !== p.profile), { ...p, ...(p.keepSecret && password && { password }) }]),
    remove: (name: string) => keep(all.filter((x) => x.profile !== name)),
  }
}
