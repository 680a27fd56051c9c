import { useCallback, useEffect, useRef, useState } from 'react'
import { useEars, type Line } from './line'

// Web Serial, as far as the bench needs it; TypeScript does not know it yet.
type Port = {
  readable: ReadableStream<Uint8Array> | null
  writable: WritableStream<Uint8Array> | null
  open: (o: { baudRate: number }) => Promise<void>
  close: () => Promise<void>
}
const serial = (navigator as { serial?: { requestPort: () => Promise<Port> } }).serial

// A Mishap is what went wrong with a port: another program has it, or it was
// pulled out; of anything else the browser's words.
export type Mishap = { kind: 'taken' | 'gone' | 'other'; text: string }

function mishap(e: unknown, when: 'opening' | 'reading'): Mishap {
  const text = e instanceof Error ? e.message : String(e)
  const name = e instanceof DOMException ? e.name : ''
  if (when === 'opening' && (name === 'NetworkError' || name === 'InvalidStateError')) return { kind: 'taken', text }
  return { kind: when === 'reading' && name === 'NetworkError' ? 'gone' : 'other', text }
}

// mayPlugIn reports whether this browser reaches serial ports.
export const mayPlugIn = serial !== undefined

// useSerialLine is the line to a module that is plugged into the visitor's own
// machine. Its bytes never leave the page.
export function useSerialLine(): Line & { open: (baud: number) => Promise<void>; close: () => Promise<void>; error: Mishap | null } {
  const [state, setState] = useState<Line['state']>('closed')
  const [error, setError] = useState<Mishap | null>(null)
  const port = useRef<Port | null>(null)
  const gone = useRef(false)
  const reader = useRef<ReadableStreamDefaultReader<Uint8Array> | null>(null)
  const writing = useRef<Promise<unknown>>(Promise.resolve())
  const { say, hear } = useEars()

  const close = useCallback(async () => {
    const p = port.current
    port.current = null
    await reader.current?.cancel().catch(() => undefined)
    await writing.current
    await p?.close().catch(() => undefined)
    setState('closed')
  }, [])
  useEffect(() => {
    gone.current = false
    return () => {
      gone.current = true
      void close()
    }
  }, [close])

  const open = async (baud: number) => {
    if (!serial) return
    setError(null)
    setState('opening')
    try {
      const p = await serial.requestPort()
      await p.open({ baudRate: baud })
      if (gone.current) return void p.close().catch(() => undefined) // the page was left while the browser asked
      port.current = p
      setState('open')
      void read(p)
    } catch (e) {
      setState('closed')
      if (!(e instanceof DOMException && e.name === 'NotFoundError')) setError(mishap(e, 'opening')) // none chosen is no mistake
    }
  }
  const read = async (p: Port) => {
    try {
      while (p.readable && port.current === p) {
        const r = p.readable.getReader()
        reader.current = r
        try {
          for (;;) {
            const { value, done } = await r.read()
            if (done) break
            say(value)
          }
        } finally {
          r.releaseLock()
          reader.current = null
        }
      }
    } catch (e) {
      if (port.current === p) setError(mishap(e, 'reading'))
    }
    if (port.current === p) await close()
  }
  const write = useCallback((b: Uint8Array) => {
    writing.current = writing.current.then(async () => {
      const w = port.current?.writable?.getWriter()
      if (!w) return
      try {
        await w.write(b)
      } finally {
        w.releaseLock()
      }
    }).catch((e: unknown) => setError(mishap(e, 'reading')))
  }, [])
  return { state, write, hear, open, close, error }
}
