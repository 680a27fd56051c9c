import { theme } from 'antd'
import { useEffect, useMemo, useRef } from 'react'

const line = 20
const pad = 8

type Props = { label: string; value: string; change?: ((text: string) => void) | undefined; mark?: number | undefined; rows?: number }

// Editor is a text of code with the numbers of its lines. The line `mark`, where
// there is one, has the mistake and is brought into view. Without `change` the
// text can only be read.
export function Editor({ label, value, change, mark, rows = 18 }: Props) {
  const { token } = theme.useToken()
  const text = useRef<HTMLTextAreaElement>(null)
  const moving = useRef<HTMLDivElement>(null)
  const lines = useMemo(() => value.split('\n').length, [value])
  const numbers = useMemo(() => Array.from({ length: lines }, (_, i) => i + 1).join('\n'), [lines])
  const width = `${Math.max(2, String(lines).length) + 2}ch`
  useEffect(() => {
    const box = text.current
    if (!box || !mark) return
    const at = (mark - 1) * line
    if (at < box.scrollTop || at > box.scrollTop + box.clientHeight - 2 * line) box.scrollTop = Math.max(0, at - box.clientHeight / 2)
  }, [mark, value])
  const follow = () => {
    if (moving.current && text.current) moving.current.style.transform = `translateY(${-text.current.scrollTop}px)`
  }
  return (
    <div className="editor" style={{ position: 'relative', overflow: 'hidden', border: `1px solid ${token.colorBorder}`, borderRadius: token.borderRadius, background: token.colorBgContainer }}>
      <div ref={moving} aria-hidden style={{ position: 'absolute', inset: 0, pointerEvents: 'none' }}>
        {mark && mark <= lines ? <div style={{ position: 'absolute', top: pad + (mark - 1) * line, height: line, width: '100%', background: token.colorErrorBg }} /> : null}
        <div className="mono" style={{ position: 'absolute', top: pad, width, boxSizing: 'border-box', paddingInlineEnd: '1ch', textAlign: 'end', whiteSpace: 'pre', fontSize: 13, lineHeight: `${line}px`, color: token.colorTextSecondary }}>
          {numbers}
        </div>
      </div>
      <textarea
        ref={text}
        className="mono"
        aria-label={label}
        aria-invalid={!!mark}
        spellCheck={false}
        autoCapitalize="off"
        wrap="off"
        rows={rows}
        value={value}
        readOnly={!change}
        onChange={(e) => change?.(e.target.value)}
        onScroll={follow}
        style={{
          position: 'relative', display: 'block', width: '100%', boxSizing: 'border-box', padding: `${pad}px ${pad}px ${pad}px calc(${width} + 4px)`, margin: 0, border: 0, outline: 0, resize: 'vertical',
          background: 'transparent', color: token.colorText, fontSize: 13, lineHeight: `${line}px`, tabSize: 2,
        }}
      />
    </div>
  )
}
