import { useCallback, useEffect, useRef, useState } from 'react'
import { visitorsLanguage } from '../../api/client'

// An Event is something that happened in a virtual module.
export type Event = {
  seq: number; time: string; kind: string; cause?: number; link?: number; peer?: string; text?: string; textZh?: string; hex?: string; size?: number
}

// A Line is a serial line, to a virtual module or a real one.
export type Line = {
  state: 'closed' | 'opening' | 'open'
  write: (bytes: Uint8Array) => void
  hear: (take: (bytes: Uint8Array) => void) => () => void
  why?: string | undefined // it is not open, where the other side has said so
}

// useEars hands bytes to whoever listens; what came before is kept for the
// first one, within bounds.
export function useEars() {
  const ears = useRef(new Set<(b: Uint8Array) => void>())
  const early = useRef<Uint8Array[]>([])
  const say = useCallback((b: Uint8Array) => {
    if (ears.current.size === 0 && early.current.length < 64) early.current.push(b)
    for (const ear of ears.current) ear(b)
  }, [])
  const hear = useCallback((take: (b: Uint8Array) => void) => {
    for (const b of early.current.splice(0)) take(b)
    ears.current.add(take)
    return () => void ears.current.delete(take)
  }, [])
  return { say, hear }
}

const frame = 8 << 10 // bytes at a time: what is pasted may be longer than the server takes
const most = 500 // events on the page; the oldest go

// useModuleLine is the line to a virtual module. It comes back by itself after
// an interruption, until the module is gone.
export function useModuleLine(module: string | null, ended: () => void): Line & { events: Event[]; clear: () => void } {
  const [state, setState] = useState<Line['state']>('closed')
  const [events, setEvents] = useState<Event[]>([])
  const [why, setWhy] = useState<string>()
  const socket = useRef<WebSocket | null>(null)
  const { say, hear } = useEars()
  const gone = useRef(ended)
  gone.current = ended
  useEffect(() => {
    setEvents([])
    if (module === null) return undefined
    let over = false
    let again: ReturnType<typeof setTimeout> | undefined
    const open = () => {
      setState('opening')
      setEvents([])
      const s = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/bench/modules/${encodeURIComponent(module)}/terminal?lang=${visitorsLanguage()}`)
      s.binaryType = 'arraybuffer'
      socket.current = s
      s.onopen = () => setState('open')
      s.onmessage = (m) => {
        if (over) return
        setWhy(undefined)
        if (m.data instanceof ArrayBuffer) say(new Uint8Array(m.data))
        else {
          const e = JSON.parse(m.data as string) as Event
          setEvents((all) => [...all.slice(1 - most), e])
        }
      }
      s.onclose = (e) => {
        if (over) return
        setState('closed')
        setWhy(e.reason || undefined)
        gone.current()
        again = setTimeout(open, 2000)
      }
    }
    open()
    return () => {
      over = true
      clearTimeout(again)
      socket.current?.close()
      socket.current = null
      setState('closed')
    }
  }, [module, say])
  const write = useCallback((b: Uint8Array) => {
    if (socket.current?.readyState !== WebSocket.OPEN) return
    for (let i = 0; i < b.length; i += frame) socket.current.send(b.slice(i, i + frame))
  }, [])
  return { state, why, events, write, hear, clear: useCallback(() => setEvents([]), []) }
}
