import { useMutation } from '@tanstack/react-query'
import { Button, Flex, Input, Modal, Typography } from 'antd'
import { useState, type ReactNode } from 'react'
import { texts, useTexts } from '../i18n/texts'
import { Refused } from './Refused'

const askTexts = texts(
  { cancel: 'Cancel', close: 'Close', type: (word: string) => `Type ${word} to go on` },
  { cancel: '取消', close: '关闭', type: (word: string) => `请输入 ${word} 以确认` },
)

// A Question is what has to be said before something is done that cannot, or
// not easily, be undone. `act` may return what its doing brought, which is shown
// before the dialog closes; `word` has to be typed first where it is given.
export type Question = { title: string; consequences: string[]; action: string; act: () => Promise<ReactNode>; word?: string; extra?: ReactNode; danger?: boolean }

// Ask is the dialog of a question. A refusal stands in it, and the visitor may
// try again.
export function Ask({ title, consequences, action, act, word, extra, danger = true, close }: Question & { close: () => void }) {
  const t = useTexts(askTexts)
  const [typed, setTyped] = useState('')
  const done = useMutation({
    mutationFn: act,
    onSuccess: (brought) => {
      if (!brought) close()
    },
  })
  const over = !!done.data
  return (
    <Modal
      open
      title={title}
      onCancel={close}
      footer={
        over ? <Button type="primary" onClick={close}>{t.close}</Button> : (
          <>
            <Button onClick={close}>{t.cancel}</Button>
            <Button type="primary" danger={danger} disabled={!!word && typed !== word} loading={done.isPending} onClick={() => done.mutate()}>{action}</Button>
          </>
        )
      }
    >
      {over ? done.data : (
        <Flex vertical gap={12}>
          <ul style={{ margin: 0, paddingInlineStart: 20 }}>
            {consequences.map((c) => <li key={c} style={{ marginBottom: 4, overflowWrap: 'anywhere' }}>{c}</li>)}
          </ul>
          {extra}
          {word && (
            <label>
              <Typography.Text type="secondary">{t.type(word)}</Typography.Text>
              <Input className="mono" autoComplete="off" value={typed} onChange={(e) => setTyped(e.target.value)} style={{ marginTop: 4 }} />
            </label>
          )}
          <Refused error={done.error} />
        </Flex>
      )}
    </Modal>
  )
}
