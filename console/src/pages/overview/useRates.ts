import { useEffect, useRef, useState } from 'react'
import type { Schemas } from '../../api/client'

type Rates = { in: number; out: number }

// useRates is messages a second between the last two looks, undefined before
// the second one.
export function useRates(status: Schemas['ServerStatus'] | undefined, at: number): Rates | undefined {
  const before = useRef<{ in: number; out: number; at: number }>(undefined)
  const [rates, setRates] = useState<Rates>()
  useEffect(() => {
    if (!status) return
    const { messagesIn, messagesOut } = status.broker
    const b = before.current
    if (b && at > b.at) {
      const seconds = (at - b.at) / 1000
      setRates({ in: Math.max(0, messagesIn - b.in) / seconds, out: Math.max(0, messagesOut - b.out) / seconds })
    }
    before.current = { in: messagesIn, out: messagesOut, at }
  }, [status, at])
  return rates
}
