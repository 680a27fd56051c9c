import { useEffect, useRef, useState } from 'react'
import type { Schemas } from '../../api/client'

export type Rates = { in: number; out: number }

// kept is how many looks are remembered.
export const kept = 90

// useRates is messages a second between two looks each, the newest last; none
// before the second one.
export function useRates(status: Schemas['ServerStatus'] | undefined, at: number): Rates[] {
  const before = useRef<{ in: number; out: number; at: number }>(undefined)
  const [rates, setRates] = useState<Rates[]>([])
  useEffect(() => {
    if (!status) return
    const { messagesIn, messagesOut } = status.broker
    const b = before.current
    if (b && at > b.at) {
      const seconds = (at - b.at) / 1000
      setRates((all) => [...all.slice(1 - kept), { in: Math.max(0, messagesIn - b.in) / seconds, out: Math.max(0, messagesOut - b.out) / seconds }])
    }
    before.current = { in: messagesIn, out: messagesOut, at }
  }, [status, at])
  return rates
}
