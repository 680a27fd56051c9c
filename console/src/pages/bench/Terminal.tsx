import '@xterm/xterm/css/xterm.css'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal as XTerm } from '@xterm/xterm'
import { theme } from 'antd'
import { useEffect, useRef } from 'react'
import type { Line } from './line'
import { bytesOf } from './packets'

// Terminal shows a serial line and types on it. A line ends with CR LF, as the
// modules want it; bytes that are no text are shown in hex.
export default function Terminal({ line, label }: { line: Line; label: string }) {
  const place = useRef<HTMLDivElement>(null)
  const { hear, write } = line
  const open = useRef(false)
  open.current = line.state === 'open'
  const { token } = theme.useToken()
  useEffect(() => {
    const term = new XTerm({
      cursorBlink: true, fontSize: 13, scrollback: 2000, screenReaderMode: false, convertEol: false,
      fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Noto Sans Mono CJK SC', monospace",
      theme: { background: '#0f1720', foreground: '#d7e0e8', cursor: '#4cc2e8', selectionBackground: '#2f5166' },
    })
    const fit = new FitAddon()
    term.loadAddon(fit)
    term.open(place.current!)
    term.textarea?.setAttribute('aria-label', label)
    fit.fit()
    const resized = new ResizeObserver(() => fit.fit())
    resized.observe(place.current!)
    const text = new TextDecoder('utf-8')
    const deaf = hear((b) => term.write(shown(b, text)))
    const typed = term.onData((data) => {
      if (open.current) write(bytesOf(data.replace(/\r(?!\n)/g, '\r\n')))
    })
    return () => {
      deaf()
      typed.dispose()
      resized.disconnect()
      term.dispose()
    }
  }, [hear, write, label])
  return <div ref={place} style={{ height: 420, padding: 8, background: '#0f1720', borderRadius: token.borderRadius, overflow: 'hidden' }} />
}

// shown is what a terminal can take of bytes: control bytes become [20], so
// that a CONNACK is seen; the sequences of a real terminal are not obeyed.
function shown(b: Uint8Array, text: TextDecoder): string {
  let out = ''
  for (const c of text.decode(b, { stream: true })) {
    const n = c.codePointAt(0)!
    const plain = n === 10 || n === 13 || n === 8 || (n >= 32 && n !== 127 && n !== 0xfffd)
    out += plain ? c : `\x1b[36m[${n === 0xfffd ? '??' : n.toString(16).padStart(2, '0')}]\x1b[0m`
  }
  return out
}
