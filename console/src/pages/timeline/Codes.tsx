import { useQuery } from '@tanstack/react-query'
import { Alert, Collapse, Empty, Flex, Input, Skeleton, Tag, Typography } from 'antd'
import { useState } from 'react'
import { api, must } from '../../api/client'
import { useLanguage, useTexts } from '../../i18n/texts'
import { CodeText } from '../../parts/CodePage'
import { pageTexts } from './texts'

// Codes lists all codes by which Matou says why.
export function Codes() {
  const t = useTexts(pageTexts)
  const zh = useLanguage().language === 'zh'
  const [words, setWords] = useState('')
  const all = useQuery({ queryKey: ['refusals'], queryFn: () => must(api.GET('/api/v1/refusals')), staleTime: Infinity })
  if (all.error) return <Alert type="error" showIcon title={all.error.message} />
  if (!all.data) return <Skeleton active />
  const w = words.trim().toLowerCase()
  const shown = (all.data.items ?? []).filter((p) => [p.code, p.title, p.titleZh, p.cause, p.causeZh].some((s) => s.toLowerCase().includes(w)))
  return (
    <Flex vertical gap={12}>
      <Flex gap={12} align="center" wrap>
        <Input.Search allowClear value={words} onChange={(e) => setWords(e.target.value)} placeholder={t.searchCodes} aria-label={t.searchCodes} style={{ maxWidth: 360 }} />
        <Typography.Text type="secondary">{t.found(shown.length)}</Typography.Text>
      </Flex>
      {shown.length === 0 ? <Empty /> : (
        <Collapse
          accordion
          destroyOnHidden
          items={shown.map((p) => ({
            key: p.code,
            label: <Flex gap={8} wrap><Typography.Text code>{p.code}</Typography.Text><span>{zh ? p.titleZh : p.title}</span></Flex>,
            extra: <Tag>{t.kinds[p.kind] ?? p.kind}</Tag>,
            children: <CodeText page={p} />,
          }))}
        />
      )}
    </Flex>
  )
}
