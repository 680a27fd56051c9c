import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { reachableKey } from './reachable'

const again = 3_000 // after which a stream that was refused is asked for again, in milliseconds
const longest = 60_000 // between two tries
const hidden = 5_000 // a page out of sight gives its stream up after this: a browser has only six requests at a time for all its tabs

// useStream follows server-sent events at path while the component is in sight
// and path is not null, and hands each to take. It says whether it is connected.
// After an interruption it comes back by itself, and what was missed is read
// again.
export function useStream(path: string | null, events: string[], take: (event: string, data: unknown) => void): boolean {
  const cache = useQueryClient()
  const [connected, setConnected] = useState(false)
  const latest = useRef(take)
  latest.current = take
  const names = events.join(' ')
  useEffect(() => {
    if (path === null) return undefined
    let source: EventSource | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let wait = again
    let before = false
    const open = () => {
      const s = (source = new EventSource(path))
      s.onopen = () => {
        setConnected(true)
        wait = again
        if (before) void cache.invalidateQueries()
        before = true
      }
      s.onerror = () => {
        setConnected(false)
        void cache.invalidateQueries({ queryKey: reachableKey })
        if (s.readyState !== EventSource.CLOSED) return // the browser tries by itself
        void cache.invalidateQueries({ queryKey: ['me'] }) // it was refused: perhaps the session has ended
        timer = setTimeout(open, wait)
        wait = Math.min(2 * wait, longest)
      }
      for (const name of names.split(' ')) {
        s.addEventListener(name, (e) => latest.current(name, JSON.parse((e as MessageEvent<string>).data)))
      }
    }
    const close = () => {
      source?.close()
      source = undefined
      setConnected(false)
    }
    const look = () => {
      clearTimeout(timer)
      if (document.hidden) timer = setTimeout(close, hidden)
      else if (source?.readyState !== EventSource.OPEN) {
        source?.close()
        open()
      }
    }
    document.addEventListener('visibilitychange', look)
    open()
    return () => {
      document.removeEventListener('visibilitychange', look)
      clearTimeout(timer)
      close()
    }
  }, [path, names, cache])
  return connected
}
