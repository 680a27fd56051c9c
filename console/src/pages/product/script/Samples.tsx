import { useQuery } from '@tanstack/react-query'
import { Button, Empty, Flex, Skeleton, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../../api/client'
import { useTexts } from '../../../i18n/texts'
import { base64Bytes, spacedHex } from '../../../parts/bytes'
import { DevicePicker } from '../../../parts/DevicePicker'
import { Trouble } from '../../../parts/Trouble'
import { When } from '../../../parts/When'
import { scriptTexts } from './texts'

// Samples are the last messages of a device, to be run through the script.
export function Samples({ product, take }: { product: string; take: (bytes: number[], topic: string) => void }) {
  const t = useTexts(scriptTexts)
  const [device, setDevice] = useState('')
  const said = useQuery({
    queryKey: ['timeline', product, device, 'samples'],
    queryFn: async () => (await must(api.GET('/api/v1/products/{product}/devices/{device}/timeline', { params: { path: { product, device }, query: { kind: 'uplink', limit: 20 } } }))).items ?? [],
    enabled: device !== '',
    refetchInterval: 5000,
  })
  const found = (said.data ?? []).filter((e) => e.payload)
  return (
    <Flex vertical gap={8}>
      <Typography.Text strong>{t.samples}</Typography.Text>
      <Typography.Text type="secondary">{t.samplesHelp}</Typography.Text>
      <DevicePicker within={product} value={device ? { product, device } : undefined} choose={(_, d) => setDevice(d)} />
      <Trouble error={said.error} again={said.refetch} />
      {device && said.isPending && <Skeleton active />}
      {said.isSuccess && found.length === 0 && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t.noSamples} />}
      <div role="list" aria-label={t.samples} style={{ maxHeight: 320, overflow: 'auto' }} tabIndex={found.length > 0 ? 0 : undefined}>
        {found.map((e) => <Sample key={e.id} entry={e} take={take} />)}
      </div>
    </Flex>
  )
}

const shownBytes = 48

function Sample({ entry: e, take }: { entry: Schemas['Entry']; take: (bytes: number[], topic: string) => void }) {
  const t = useTexts(scriptTexts)
  const bytes = base64Bytes(e.payload ?? '')
  const whole = bytes.length >= (e.size ?? 0)
  return (
    <Flex role="listitem" gap={8} justify="space-between" align="start" style={{ padding: '6px 0', borderBottom: '1px solid rgba(128,128,128,.2)' }}>
      <Flex vertical style={{ minWidth: 0 }}>
        <Typography.Text type="secondary" style={{ fontSize: 12 }}><When at={e.at} /> · {t.bytes(e.size ?? bytes.length)}{!whole && ` · ${t.cut}`}</Typography.Text>
        <span className="mono" style={{ fontSize: 12, overflowWrap: 'anywhere' }}>{e.topic}</span>
        <span className="mono" style={{ overflowWrap: 'anywhere' }}>{spacedHex(bytes.slice(0, shownBytes))}{bytes.length > shownBytes && ' …'}</span>
      </Flex>
      <Button size="small" disabled={!whole} onClick={() => take(bytes, e.topic ?? '')}>{t.take}</Button>
    </Flex>
  )
}
