import { Flex, Input, Typography } from 'antd'
import { useState } from 'react'
import { texts, useTexts } from '../i18n/texts'
import { Ask } from './Ask'

const newSecretTexts = texts(
  { own: 'The new one (left empty, one is made)' },
  { own: '新密钥（留空则自动生成）' },
)

type Props = { title: string; consequences: string[]; action: string; done: string; reset: (own: { secret?: string }) => Promise<string>; close: () => void }

// NewSecret asks whether a secret shall be another, which may be one's own, and
// shows it when it is.
export function NewSecret({ title, consequences, action, done, reset, close }: Props) {
  const t = useTexts(newSecretTexts)
  const [own, setOwn] = useState('')
  return (
    <Ask
      title={title}
      consequences={consequences}
      action={action}
      close={close}
      extra={
        <label>
          <Typography.Text type="secondary">{t.own}</Typography.Text>
          <Input className="mono" autoComplete="off" value={own} onChange={(e) => setOwn(e.target.value)} style={{ marginTop: 4 }} />
        </label>
      }
      act={async () => {
        const now = await reset(own.trim() ? { secret: own.trim() } : {})
        return (
          <Flex vertical gap={8}>
            {done}
            <Typography.Text className="mono" copyable style={{ overflowWrap: 'anywhere' }}>{now}</Typography.Text>
          </Flex>
        )
      }}
    />
  )
}
