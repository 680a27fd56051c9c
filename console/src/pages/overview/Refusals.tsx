import { useQuery } from '@tanstack/react-query'
import { Button, Drawer, Flex, Grid, Skeleton, Table, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Moment } from '../../parts/Moment'
import { Refused } from '../../parts/Refused'
import { overviewTexts } from './texts'

// Refusals are counted by cause; a click on one explains it.
export function Refusals({ all }: { all: Schemas['Refused'][] }) {
  const t = useTexts(overviewTexts)
  const { language } = useLanguage()
  const [code, setCode] = useState<string>()
  const narrow = !(Grid.useBreakpoint().sm ?? true)
  return (
    <>
      <Table
        size="small"
        rowKey="code"
        dataSource={all}
        pagination={all.length > 10 && { pageSize: 10, size: 'small' }}
        columns={[
          {
            title: t.cause,
            render: (_, r) => (
              <Flex vertical align="start">
                <Button type="link" style={{ padding: 0, height: 'auto', whiteSpace: 'normal', textAlign: 'start' }} onClick={() => setCode(r.code)}>
                  {(language === 'zh' ? r.titleZh : r.title) || r.code}
                </Button>
                {narrow && <Typography.Text type="secondary" style={{ fontSize: 12 }}><Moment time={r.last} /></Typography.Text>}
              </Flex>
            ),
          },
          { title: t.count, align: 'right', dataIndex: 'count', width: 90 },
          { title: t.last, width: 180, responsive: ['sm'], render: (_, r) => <Moment time={r.last} /> },
        ]}
      />
      {code && <Explained code={code} done={() => setCode(undefined)} />}
    </>
  )
}

function Explained({ code, done }: { code: string; done: () => void }) {
  const t = useTexts(overviewTexts)
  const zh = useLanguage().language === 'zh'
  const narrow = !(Grid.useBreakpoint().sm ?? true)
  const page = useQuery({ queryKey: ['refusal', code], queryFn: () => must(api.GET('/api/v1/refusals/{code}', { params: { path: { code } } })), staleTime: Infinity })
  const p = page.data
  return (
    <Drawer open onClose={done} size={narrow ? '100%' : 480} title={p ? (zh ? p.titleZh : p.title) : code}>
      <Refused error={page.error} />
      {p ? (
        <>
          <Typography.Title level={5}>{t.what}</Typography.Title>
          <Typography.Paragraph>{zh ? p.causeZh : p.cause}</Typography.Paragraph>
          <Typography.Title level={5}>{t.remedy}</Typography.Title>
          <Typography.Paragraph>{zh ? p.adviceZh : p.advice}</Typography.Paragraph>
          {p.example && <Typography.Paragraph className="mono">{p.example}</Typography.Paragraph>}
        </>
      ) : (
        page.isPending && <Skeleton active />
      )}
    </Drawer>
  )
}
