import { useQuery } from '@tanstack/react-query'
import { Card, Col, Descriptions, Empty, Flex, Row, Skeleton, Statistic, Steps, Tag, Typography } from 'antd'
import { Link } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { appTexts } from '../../app/texts'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Refused } from '../../parts/Refused'
import { Rates } from './Rates'
import { Refusals } from './Refusals'
import { overviewTexts } from './texts'
import { useRates } from './useRates'

const mib = (bytes: number) => (bytes >= 1 << 30 ? `${(bytes / (1 << 30)).toFixed(1)} GiB` : `${(bytes / (1 << 20)).toFixed(0)} MiB`)

export function Page() {
  const app = useTexts(appTexts)
  const t = useTexts(overviewTexts)
  const { language } = useLanguage()
  const all = useQuery({ queryKey: ['overview'], queryFn: () => must(api.GET('/api/v1/overview')), refetchInterval: 2000 })
  const o = all.data
  const rates = useRates(o?.status, all.dataUpdatedAt)
  return (
    <Flex vertical gap={16}>
      <Typography.Title level={2} style={{ margin: 0 }}>
        {app.overview}
      </Typography.Title>
      <Refused error={all.error} />
      {o ? (
        <>
          <Begin o={o} />
          <Row gutter={[16, 16]}>
            {(['ONLINE', 'OFFLINE', 'INACTIVE', 'DISABLED'] as const).map((state) => (
              <Col key={state} xs={12} lg={6}>
                <Card size="small">
                  <Link to={`/devices?state=${state}`}>
                    <Statistic title={t[state.toLowerCase() as 'online']} value={(o.states[state] ?? 0).toLocaleString(language)} />
                  </Link>
                </Card>
              </Col>
            ))}
            <Col xs={24} lg={12}>
              <Card title={t.messages} style={{ height: '100%' }}>
                <Rates rates={rates} />
              </Card>
            </Col>
            <Col xs={24} lg={12}>
              <Health o={o} />
            </Col>
          </Row>
          <Card title={t.refusals}>{o.refusals?.length ? <Refusals all={o.refusals} /> : <Empty description={t.noRefusals} />}</Card>
        </>
      ) : (
        all.isPending && <Skeleton active paragraph={{ rows: 8 }} />
      )}
    </Flex>
  )
}

function Health({ o }: { o: Schemas['Overview'] }) {
  const t = useTexts(overviewTexts)
  const { broker, memoryBytes, uptime, version } = o.status
  const dropped = broker.droppedSlow + broker.droppedQueueFull + broker.droppedExpired
  const well = !o.problem && broker.storeErrors === 0
  const hours = Math.floor(uptime / 3600)
  return (
    <Card title={t.health} extra={<Tag color={well ? 'green' : 'orange'}>{well ? t.ok : t.watch}</Tag>} style={{ height: '100%' }}>
      {o.problem && <Typography.Paragraph type="danger">{o.problem}</Typography.Paragraph>}
      <Descriptions
        size="small"
        column={{ xs: 1, sm: 2 }}
        items={[
          { key: 's', label: t.storage, children: o.disk ? t.free(mib(o.disk.free), mib(o.disk.total)) : '–' },
          { key: 'm', label: t.memory, children: mib(memoryBytes) },
          { key: 'c', label: t.connections, children: broker.connections },
          { key: 'q', label: t.queued, children: broker.queued },
          { key: 'd', label: t.dropped, children: dropped },
          { key: 'e', label: t.storeErrors, children: broker.storeErrors },
          { key: 'u', label: t.uptime, children: hours >= 48 ? `${Math.floor(hours / 24)} ${t.d}` : `${hours} ${t.h} ${Math.floor((uptime % 3600) / 60)} ${t.min}` },
          { key: 'v', label: t.version, children: version },
        ]}
      />
    </Card>
  )
}

// Begin is for a first visitor: until a device of his has connected, it says
// which step is next.
function Begin({ o }: { o: Schemas['Overview'] }) {
  const t = useTexts(overviewTexts)
  const { ONLINE = 0, OFFLINE = 0, INACTIVE = 0 } = o.states
  if (ONLINE + OFFLINE > 0) return null
  return (
    <Card title={t.begin}>
      <Steps
        current={!o.products ? 0 : INACTIVE === 0 ? 1 : 2}
        items={[
          { title: <Link to="/products">{t.step1}</Link>, content: t.step1why },
          { title: <Link to="/devices">{t.step2}</Link>, content: t.step2why },
          { title: <Link to={INACTIVE > 0 ? '/devices?state=INACTIVE' : '/bench'}>{t.step3}</Link>, content: <>{t.step3why} <Link to="/bench">{t.toBench}</Link></> },
        ]}
      />
    </Card>
  )
}
