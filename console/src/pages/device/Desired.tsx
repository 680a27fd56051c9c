import { useQuery } from '@tanstack/react-query'
import { Card, Flex, Typography } from 'antd'
import { api, must } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { keyOf, type Id } from './data'
import { deviceTexts } from './texts'

// Desired shows what is wanted of the device, and its shadow.
export function Desired({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const desired = useQuery({
    queryKey: keyOf(id, 'desired'),
    queryFn: () => must(api.GET('/api/v1/products/{product}/devices/{device}/desired', { params: { path: id } })),
  })
  const shadow = useQuery({
    queryKey: keyOf(id, 'shadow'),
    refetchInterval: 5000,
    queryFn: () => must(api.GET('/api/v1/products/{product}/devices/{device}/shadow', { params: { path: id } })),
  })
  const items = (desired.data as { items?: unknown[] } | undefined)?.items ?? []
  const text = (title: string, value: unknown) => (
    <Card size="small" title={title} style={{ flex: '1 1 300px', minWidth: 0 }}>
      <pre style={{ margin: 0, overflow: 'auto' }}>{JSON.stringify(value ?? {}, null, 2)}</pre>
    </Card>
  )
  return (
    <Flex vertical gap={16}>
      {items.length === 0 ? <Typography.Text type="secondary">{t.desiredValue}: {t.none}</Typography.Text> : text(t.desiredValue, items)}
      <Flex gap={16} wrap>
        {text(`${t.shadow} · ${t.reported}`, shadow.data?.reported)}
        {text(`${t.shadow} · ${t.wanted}`, shadow.data?.desired)}
      </Flex>
    </Flex>
  )
}
