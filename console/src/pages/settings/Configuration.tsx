import { useQuery } from '@tanstack/react-query'
import { Checkbox, Flex, Input, Table, Tag, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { Trouble } from '../../parts/Trouble'
import { settingTexts } from './texts'

type Setting = Schemas['Setting']

// Configuration is what is set, and from where.
export function Configuration() {
  const t = useTexts(settingTexts)
  const [text, setText] = useState('')
  const [changed, setChanged] = useState(false)
  const found = useQuery({ queryKey: ['settings'], queryFn: () => must(api.GET('/api/v1/settings')) })
  const rows = (found.data?.items ?? []).filter((s) => s.key.toLowerCase().includes(text.toLowerCase()) && (!changed || s.source !== 'default'))
  return (
    <>
      <Typography.Paragraph type="secondary">{t.configurationHint}</Typography.Paragraph>
      <Flex gap={16} align="center" wrap style={{ marginBottom: 12 }}>
        <Input aria-label={t.filter} placeholder={t.filter} allowClear value={text} onChange={(e) => setText(e.target.value)} style={{ width: 240 }} />
        <Checkbox checked={changed} onChange={(e) => setChanged(e.target.checked)}>{t.changed}</Checkbox>
      </Flex>
      <Trouble error={found.error} again={found.refetch} />
      <Table<Setting>
        rowKey="key"
        size="small"
        loading={found.isPending}
        dataSource={rows}
        pagination={false}
        scroll={{ x: 'max-content' }}
        columns={[
          { title: t.key, dataIndex: 'key', className: 'mono' },
          { title: t.value, dataIndex: 'value', className: 'mono' },
          { title: t.usual, dataIndex: 'default', className: 'mono' },
          { title: t.from, dataIndex: 'source', render: (s: string, row) => <Tag color={s === 'default' ? 'default' : 'blue'} title={row.variable}>{t.sources[s] ?? s}</Tag> },
        ]}
      />
    </>
  )
}
