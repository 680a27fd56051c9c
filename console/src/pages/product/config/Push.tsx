import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Card, Flex, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../../api/client'
import { useLanguage, useTexts } from '../../../i18n/texts'
import { Ask } from '../../../parts/Ask'
import { DevicePicker } from '../../../parts/DevicePicker'
import { useRefusal } from '../../../parts/refusal'
import { configTexts } from './texts'

type Props = { product: Schemas['Product']; newest: number; unsaved: boolean; able: boolean; on: boolean }

// Push tells devices of the newest version: one, or all of the product.
export function Push({ product: p, newest, unsaved, able, on }: Props) {
  const t = useTexts(configTexts)
  const { language } = useLanguage()
  const { message } = App.useApp()
  const cache = useQueryClient()
  const [device, setDevice] = useState('')
  const [asking, setAsking] = useState(false)
  const push = useMutation({
    mutationFn: (device: string) => must(api.POST('/api/v1/products/{product}/config/push', { params: { path: { product: p.key } }, body: device ? { device } : {} })),
    onSuccess: (r) => {
      message.success(t.pushed(r.told, r.queued, r.missed))
      void cache.invalidateQueries({ queryKey: ['products', p.key, 'config', 'deliveries'] })
    },
  })
  const refuse = useRefusal()
  return (
    <Card size="small" title={t.push}>
      <Flex vertical gap={12}>
        <Typography.Text type="secondary">{t.pushHelp} {unsaved && t.pushUnsaved}</Typography.Text>
        <Flex gap={8} wrap align="center">
          <Tooltip title={!able ? t.role : on ? undefined : t.onHelp}>
            <Button type="primary" disabled={!able || !on} onClick={() => setAsking(true)}>{t.pushAll}</Button>
          </Tooltip>
          <DevicePicker within={p.key} value={device ? { product: p.key, device } : undefined} choose={(_, d) => setDevice(d)} />
          <Button disabled={!able || !on || !device} loading={push.isPending && !asking} onClick={() => push.mutate(device, { onError: refuse })}>{t.pushOne}</Button>
        </Flex>
      </Flex>
      {asking && (
        <Ask
          title={t.pushTitle(newest)}
          consequences={[...t.pushWhat(p.devices.toLocaleString(language)), ...(unsaved ? [t.pushUnsaved] : [])]}
          action={t.push}
          danger={false}
          close={() => setAsking(false)}
          act={async () => {
            await push.mutateAsync('')
            return null
          }}
        />
      )}
    </Card>
  )
}
