import { useQuery } from '@tanstack/react-query'
import { Alert, Drawer, Flex, Skeleton } from 'antd'
import { api, must, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { Annotated } from '../Annotated'
import { base64Bytes, hexOf } from '../bytes'
import { Diagnosis } from '../Diagnosis'
import { Layers } from './Layers'
import { timelineTexts } from './texts'
import type { Entry, Subject } from './useTimeline'

// LayersDrawer opens a message: why it was refused, if it was, and its layers.
export function LayersDrawer({ subject, entry, close }: { subject: Subject; entry: Entry | undefined; close: () => void }) {
  const t = useTexts(timelineTexts)
  return (
    <Drawer open={!!entry} onClose={close} title={t.layers} size="min(1400px, 96vw)" destroyOnHidden>
      {entry && (
        <Flex vertical gap={16}>
          {entry.code && <Diagnosis of={diagnosisOf(entry)} />}
          {subject ? <Followed subject={subject} id={entry.id} /> : entry.packet && <Nameless packet={entry.packet} />}
        </Flex>
      )}
    </Drawer>
  )
}

// diagnosisOf reads the detail of a refusal, which has the doctor's findings
// where he made any.
function diagnosisOf(e: Entry): Partial<Schemas['Diagnosis']> {
  const found = (typeof e.detail === 'object' && e.detail !== null ? e.detail : {}) as Partial<Schemas['Diagnosis']>
  return { ...found, code: e.code ?? '', sentence: found.sentence || (e.sentence ?? ''), sentenceZh: found.sentenceZh || (e.sentenceZh ?? '') }
}

function Followed({ subject, id }: { subject: NonNullable<Subject>; id: number }) {
  const layers = useQuery({
    queryKey: ['layers', subject.product, subject.device, id],
    queryFn: () => must(api.GET('/api/v1/products/{product}/devices/{device}/timeline/{id}/layers', { params: { path: { ...subject, id } } })),
  })
  if (layers.error) return <Alert type="error" showIcon title={layers.error.message} />
  if (!layers.data) return <Skeleton active />
  return <Layers of={layers.data} />
}

// Nameless explains the bytes of what named no device.
function Nameless({ packet }: { packet: string }) {
  const explained = useQuery({
    queryKey: ['explain', packet],
    queryFn: () => must(api.POST('/api/v1/explain', { body: { base64: packet } })),
    staleTime: Infinity,
  })
  if (explained.error) return <Alert type="error" showIcon title={explained.error.message} />
  if (!explained.data) return <Skeleton active />
  return <Annotated hex={base64Bytes(packet).map(hexOf).join('')} explanation={explained.data} />
}
