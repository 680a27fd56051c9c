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
      cursorBlink: true, fontSize: 13, scrollback: 2000, convertEol: false,
      fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Noto Sans Mono CJK SC', monospace",
      theme: { background: '#0f1720', foreground: '#d7e0e8', cursor: '#4cc2e8', selectionBackground: '#2f5166' },
    })
    const fit = new FitAddon()
    term.loadAddon(fit)
    term.open(place.current!)
    term.textarea?.setAttribute('aria-label', label)
    term.attachCustomKeyEventHandler((e) => e.key !== 'Tab') // who uses the keyboard alone gets out again
    fit.fit()
    const resized = new ResizeObserver(() => fit.fit())
    resized.observe(place.current!)
    const shower = new Shower()
    const deaf = hear((b) => term.write(shower.show(b)))
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

// A Shower makes of bytes what a terminal can take: text as it is, whatever is
// none in hex, so that a CONNACK is seen. Sequences for a real terminal are not
// obeyed.
class Shower {
  private rest: number[] = [] // the beginning of a character

  show(b: Uint8Array): string {
    const all = [...this.rest, ...b]
    this.rest = []
    let out = ''
    for (let i = 0; i < all.length; ) {
      const c = all[i]!
      const size = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1
      const more = all.slice(i + 1, i + size)
      if (size > 1 && more.every((x) => x >> 6 === 2)) {
        if (more.length < size - 1) {
          this.rest = all.slice(i)
          break
        }
        out += new TextDecoder().decode(Uint8Array.from(all.slice(i, i + size)))
        i += size
        continue
      }
      out += c === 8 || c === 10 || c === 13 || (c >= 32 && c < 127) ? String.fromCharCode(c) : `\x1b[36m[${c.toString(16).padStart(2, '0').toUpperCase()}]\x1b[0m`
      i++
    }
    return out
  }
}
