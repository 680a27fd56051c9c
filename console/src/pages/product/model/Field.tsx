import { Form } from 'antd'
import { cloneElement, createContext, useContext, useId, type ReactElement, type ReactNode } from 'react'
import { useTexts } from '../../../i18n/texts'
import { isSerious, type Trouble } from './problems'
import { modelTexts } from './texts'

// Troubles are those of the feature that is edited, or only looked at. What is merely
// missing is told when somebody has tried to go on.
export const Troubles = createContext<{ list: Trouble[]; tried: boolean; readOnly: boolean }>({ list: [], tried: false, readOnly: false })

export function useTrouble(at: string): Trouble | undefined {
  const { list, tried } = useContext(Troubles)
  return list.find((t) => t.at === at && (tried || t.what !== 'idMissing'))
}

// Field is one control with its label and, below it, what is wrong with it.
export function Field({ at, label, help, children, style }: { at: string; label: ReactNode; help?: string; children: ReactElement<Record<string, unknown>>; style?: React.CSSProperties }) {
  const t = useTexts(modelTexts)
  const id = useId()
  const trouble = useTrouble(at)
  const said = `${id}-said`
  return (
    <Form.Item
      label={label}
      htmlFor={id}
      style={{ marginBottom: 12, minWidth: 0, ...style }}
      validateStatus={trouble ? (isSerious(trouble) ? 'error' : 'warning') : ''}
      help={trouble ? <span id={said}>{t.troubles[trouble.what]}</span> : undefined}
      extra={!trouble && help ? <span id={said}>{help}</span> : undefined}
    >
      {cloneElement(children, { id, ...(trouble || help ? { 'aria-describedby': said } : {}), ...(trouble && isSerious(trouble) ? { 'aria-invalid': true } : {}) })}
    </Form.Item>
  )
}

// Fields stand beside one another where there is room.
export function Fields({ children }: { children: ReactNode }) {
  return <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(min(100%, 150px), 1fr))', columnGap: 12 }}>{children}</div>
}
