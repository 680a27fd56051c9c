import { InboxOutlined } from '@ant-design/icons'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Alert, Card, Collapse, Flex, Skeleton, Tag, Upload } from 'antd'
import { api, must, type Schemas } from '../../api/client'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Annotated } from '../../parts/Annotated'
import { workshopTexts } from './texts'

// Captures shows the conversations of an uploaded recording, each packet explained.
export function Captures() {
  const t = useTexts(workshopTexts)
  const read = useMutation({
    mutationFn: (file: File) => must(api.POST('/api/v1/explain/recording', { body: file as unknown as string, bodySerializer: (b: unknown) => b as File, headers: { 'Content-Type': 'application/octet-stream' } })),
  })
  return (
    <Flex vertical gap={16}>
      <Upload.Dragger
        showUploadList={false}
        beforeUpload={(file) => {
          read.mutate(file)
          return false
        }}
      >
        <p><InboxOutlined style={{ fontSize: 32 }} /></p>
        <p>{t.upload}</p>
      </Upload.Dragger>
      {read.isPending && <Skeleton active />}
      {read.error && <Alert type="error" showIcon title={read.error.message} />}
      {(read.data?.items ?? []).map((c, i) => <Talk key={i} of={c} />)}
    </Flex>
  )
}

function Talk({ of: c }: { of: Schemas['Conversation'] }) {
  const t = useTexts(workshopTexts)
  const zh = useLanguage().language === 'zh'
  const packets = c.packets ?? []
  return (
    <Card size="small" title={c.name} extra={t.packets(packets.length)}>
      {(c.notes ?? []).map((n, i) => <Alert key={i} type="warning" title={n} style={{ marginBottom: 8 }} />)}
      <Collapse
        size="small"
        destroyOnHidden
        items={packets.map((p, i) => ({
          key: i,
          label: (
            <Flex gap={8} wrap style={{ overflowWrap: 'anywhere' }}>
              {c.timed && <span className="mono">{(p.afterMs / 1000).toFixed(3)} s</span>}
              <Tag color={p.from === 'device' ? 'blue' : 'purple'}>{p.from === 'device' ? t.fromDevice : t.fromBroker}</Tag>
              {!!p.faults && <Tag color="red">{t.faults(p.faults)}</Tag>}
              <span>{zh ? p.summaryZH : p.summary}</span>
            </Flex>
          ),
          children: <Spoken of={p} />,
        }))}
      />
      {!!c.left && t.left(c.left)}
    </Card>
  )
}

function Spoken({ of: p }: { of: Schemas['Spoken'] }) {
  const explained = useQuery({
    queryKey: ['explain', p.hex, p.version],
    queryFn: () => must(api.POST('/api/v1/explain', { body: { hex: p.hex, ...(p.version && { version: p.version }) } })),
    staleTime: Infinity,
  })
  if (explained.error) return <Alert type="error" title={explained.error.message} />
  return explained.data ? <Annotated hex={p.hex} explanation={explained.data} /> : <Skeleton active />
}
