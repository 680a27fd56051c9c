import { useEffect, useRef, useState } from 'react'

// useStream follows server-sent events at path while the component is there and
// path is not null, and hands each to take. It says whether it is connected;
// the browser comes back by itself after an interruption.
export function useStream(path: string | null, events: string[], take: (event: string, data: unknown) => void): boolean {
  const [connected, setConnected] = useState(false)
  const latest = useRef(take)
  latest.current = take
  const names = events.join(' ')
  useEffect(() => {
    if (path === null) return undefined
    const source = new EventSource(path)
    source.onopen = () => setConnected(true)
    source.onerror = () => setConnected(false)
    for (const name of names.split(' ')) {
      source.addEventListener(name, (e) => latest.current(name, JSON.parse((e as MessageEvent<string>).data)))
    }
    return () => {
      source.close()
      setConnected(false)
    }
  }, [path, names])
  return connected
}
