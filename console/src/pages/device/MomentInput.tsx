import { Input } from 'antd'
import { useTexts } from '../../i18n/texts'
import { deviceTexts } from './texts'

const minute = 60_000

// MomentInput is a field for a moment by the visitor's clock.
export function MomentInput({ label, value, change, wrong }: { label: string; value: number; change: (at: number) => void; wrong: boolean }) {
  const local = new Date(value - new Date(value).getTimezoneOffset() * minute).toISOString().slice(0, 19)
  return (
    <label>
      {label}{' '}
      <Input
        type="datetime-local"
        step={1}
        value={local}
        {...(wrong && { status: 'error' as const })}
        onChange={(e) => {
          const at = new Date(e.target.value).getTime()
          if (!Number.isNaN(at)) change(at)
        }}
        style={{ width: 220 }}
      />
    </label>
  )
}

// UpsideDown says that a span ends before it begins.
export function UpsideDown({ when }: { when: boolean }) {
  const t = useTexts(deviceTexts)
  return when && <span role="alert" style={{ color: 'var(--ant-color-error)' }}>{t.upsideDown}</span>
}
