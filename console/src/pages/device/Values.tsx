import { Card, Empty, Flex, Skeleton, Typography } from 'antd'
import { useTexts } from '../../i18n/texts'
import { Moment } from '../../parts/Moment'
import { Trouble } from '../../parts/Trouble'
import { say, useLatest, useModel, type Id } from './data'
import { deviceTexts } from './texts'

// Values are the latest values as cards; they move as reports arrive.
export function Values({ id }: { id: Id }) {
  const t = useTexts(deviceTexts)
  const latest = useLatest(id)
  const model = useModel(id.product)
  if (latest.isPending) return <Skeleton active />
  if (!latest.data) return <Trouble error={latest.error} again={latest.refetch} />
  const items = latest.data.items ?? []
  if (items.length === 0) return <Empty description={t.noValues} />
  return (
    <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fill, minmax(min(220px, 100%), 1fr))', gap: 12 }}>
      {items.map((l) => {
        const type = model.data?.properties?.find((p) => p.id === l.property)?.type
        return (
          <Card key={l.property} size="small">
            <Flex vertical gap={2}>
              <Typography.Text type="secondary" ellipsis title={l.property}>
                {l.name && l.name !== l.property ? `${l.name} · ${l.property}` : l.property}
              </Typography.Text>
              <Typography.Text strong={!!l.time} {...(l.time ? {} : { type: 'secondary' as const })} style={{ fontSize: 22, wordBreak: 'break-word', fontVariantNumeric: 'tabular-nums' }}>
                {l.time ? say(l.value, type) : t.noValue}
                {l.time && l.unit ? <small style={{ fontSize: 14 }}> {l.unit}</small> : null}
              </Typography.Text>
              <Typography.Text type="secondary" style={{ fontSize: 12 }}>
                <Moment time={l.time} />
              </Typography.Text>
            </Flex>
          </Card>
        )
      })}
    </div>
  )
}
