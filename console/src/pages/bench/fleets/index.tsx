import { useQuery } from '@tanstack/react-query'
import { Alert, Card, Empty, Flex, Select, Skeleton, Typography } from 'antd'
import { useEffect, useState } from 'react'
import { api, must, type Schemas } from '../../../api/client'
import { useTexts } from '../../../i18n/texts'
import { AtWork } from './AtWork'
import { Start } from './Start'
import { fleetTexts } from './texts'

// Fleets are many virtual devices at once, with live charts.
export function Fleets() {
  const t = useTexts(fleetTexts)
  const [chosen, choose] = useState<string>()
  const fleets = useQuery({ queryKey: ['bench', 'fleets'], queryFn: async () => (await must(api.GET('/api/v1/bench/fleets'))).items, refetchInterval: 5000 })
  const all = fleets.data ?? []
  const shown = all.find((f) => f.id === chosen) ?? all[0]
  const [seen, see] = useState<Schemas['BenchFleet']>()
  useEffect(() => {
    if (shown) see(shown)
  }, [shown])
  const lost = fleets.isSuccess && all.length === 0 && seen?.state === 'running'
  const fleet = shown ?? (lost ? seen : undefined)
  const removed = () => {
    see(undefined)
    choose(undefined)
  }
  return (
    <Flex vertical gap={16}>
      <Typography.Text type="secondary">{t.about}</Typography.Text>
      <Card><Start started={choose} /></Card>
      {fleets.error && <Alert type="error" showIcon title={fleets.error.message} />}
      {fleets.isPending && <Skeleton active />}
      {fleets.isSuccess && !fleet && <Card><Empty description={t.none} /></Card>}
      {all.length > 1 && (
        <Flex gap={8} align="center">
          <Typography.Text>{t.fleets}</Typography.Text>
          <Select
            aria-label={t.fleets}
            value={shown?.id ?? null}
            onChange={choose}
            style={{ width: 'min(100%, 420px)' }}
            options={all.map((f) => ({ value: f.id, label: `${f.name} · ${new Date(f.started).toLocaleTimeString()} · ${t[f.state]}` }))}
          />
        </Flex>
      )}
      {fleet && <AtWork key={fleet.id} fleet={fleet} lost={lost} removed={removed} />}
    </Flex>
  )
}
