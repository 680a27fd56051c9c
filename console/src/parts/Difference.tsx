import { Typography, theme } from 'antd'
import { useTexts } from '../i18n/texts'
import { explainTexts } from './sharedTexts'

// Difference shows what was expected over what came, the characters between
// the common beginning and the common end marked.
export function Difference({ expected, received }: { expected: string; received: string }) {
  const t = useTexts(explainTexts)
  const short = Math.min(expected.length, received.length)
  let start = 0
  while (start < short && expected[start] === received[start]) start++
  let end = 0
  while (end < short - start && expected[expected.length - 1 - end] === received[received.length - 1 - end]) end++
  return (
    <div style={{ display: 'grid', gridTemplateColumns: 'max-content 1fr', gap: '6px 12px' }}>
      <Typography.Text type="secondary">{t.expected}</Typography.Text>
      <Marked text={expected} from={start} to={expected.length - end} good />
      <Typography.Text type="secondary">{t.received}</Typography.Text>
      <Marked text={received} from={start} to={received.length - end} />
    </div>
  )
}

function Marked({ text, from, to, good }: { text: string; from: number; to: number; good?: boolean }) {
  const t = useTexts(explainTexts)
  const { token } = theme.useToken()
  if (text === '') return <Typography.Text type="secondary">{t.none}</Typography.Text>
  return (
    <span className="mono" style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
      {text.slice(0, from)}
      <mark style={{ background: good ? token.colorSuccessBg : token.colorErrorBg, color: good ? token.colorSuccessText : token.colorErrorText, fontWeight: 600 }}>
        <Visible text={text.slice(from, to)} first={from === 0} last={to === text.length} />
      </mark>
      {text.slice(to)}
    </span>
  )
}

// Visible shows what is not seen by itself: a line end behind a password is a
// mistake, too, and so is a blank before or behind it.
function Visible({ text, first, last }: { text: string; first: boolean; last: boolean }) {
  const t = useTexts(explainTexts)
  const known: Record<string, [string, string]> = { ' ': ['·', t.blank], '\t': ['→', t.tab], '\n': ['↵', t.lineEnd], '\r': ['↵', t.lineEnd] }
  const parts = text.split(/([\s\p{C}])/u)
  const written = (i: number) => parts[i] !== '' && parts[i] !== ' '
  const from = first ? parts.findIndex((_, i) => written(i)) : 0
  const to = last ? parts.findLastIndex((_, i) => written(i)) : parts.length
  return parts.map((part, i) => {
    if (i % 2 === 0 || (part === ' ' && i > from && i < to)) return part
    const code = `U+${part.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
    const [sign, name] = known[part] ?? [`[${code}]`, t.unseen(code)]
    return <span key={i} title={name}>{sign}</span>
  })
}
