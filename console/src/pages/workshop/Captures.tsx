import { InboxOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Alert, App, Button, Card, Flex, Input, Skeleton, Typography, Upload } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { Refused } from '../../parts/Refused'
import { Packets } from './Packets'
import { Replay } from './Replay'
import { workshopTexts } from './texts'

const most = 4 << 20 // bytes: the API takes no more
const listed = 50 // conversations

// raw sends a file as it is.
export const raw = (file: Blob) => ({ body: file as unknown as string, bodySerializer: (b: unknown) => b as Blob, headers: { 'Content-Type': 'application/octet-stream' } })

// Captures shows the conversations of a recording, a file or pasted text, each
// packet explained; each can be said again to this Matou.
export function Captures() {
  const t = useTexts(workshopTexts)
  const { message } = App.useApp()
  const [text, setText] = useState('')
  const read = useMutation({ mutationFn: (file: Blob) => must(api.POST('/api/v1/explain/recording', raw(file))) })
  const take = (file: Blob) => {
    if (file.size > most) void message.error(t.tooLarge)
    else if (file.size === 0) void message.error(t.emptyFile)
    else read.mutate(file)
  }
  const all = read.data?.items ?? []
  return (
    <Flex vertical gap={16}>
      <div className="halves">
        <Upload.Dragger
          showUploadList={false}
          beforeUpload={(file) => {
            take(file)
            return false
          }}
        >
          <p><InboxOutlined style={{ fontSize: 32 }} /></p>
          <p style={{ padding: '0 16px' }}>{t.upload}</p>
        </Upload.Dragger>
        <Flex vertical gap={8}>
          <Input.TextArea className="mono" rows={5} value={text} onChange={(e) => setText(e.target.value)} aria-label={t.paste} placeholder={t.paste} />
          <Button onClick={() => take(new Blob([text]))} disabled={text.trim() === ''} loading={read.isPending} style={{ alignSelf: 'start' }}>{t.read}</Button>
        </Flex>
      </div>
      {read.isPending && <Skeleton active />}
      <Refused error={read.error} />
      {read.variables && all.map((c, i) => <Talk key={`${read.submittedAt} ${i}`} of={c} file={read.variables} stream={i + 1} />)}
      {all.length === listed && <Alert type="info" showIcon title={t.listed(listed)} />}
    </Flex>
  )
}

function Talk({ of: c, file, stream }: { of: Schemas['Conversation']; file: Blob; stream: number }) {
  const t = useTexts(workshopTexts)
  const packets = c.packets ?? []
  return (
    <Card size="small" title={<span style={{ whiteSpace: 'normal', overflowWrap: 'anywhere' }}>{c.name}</span>} extra={t.packets(packets.length + (c.left ?? 0))}>
      <Flex vertical gap={12}>
        {(c.notes ?? []).map((n, i) => <Alert key={i} type="warning" title={n} />)}
        <Packets of={packets.map((p) => ({ ...p, ...(c.timed ? {} : { afterMs: undefined }) }))} />
        {!!c.left && <Typography.Text type="secondary">{t.left(c.left)}</Typography.Text>}
        {packets.some((p) => p.from === 'device') && <Replay file={file} stream={stream} />}
      </Flex>
    </Card>
  )
}
