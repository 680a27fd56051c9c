import { EllipsisOutlined, ExclamationCircleOutlined } from '@ant-design/icons'
import { Button, Dropdown, Flex, Grid, Table, Tag, Tooltip, Typography } from 'antd'
import { useTexts } from '../../../i18n/texts'
import { definition, typeWord } from './describe'
import { isSerious, type Trouble } from './problems'
import { modelTexts } from './texts'
import { splitID, type Standing } from './types'

export type Doing = 'duplicate' | 'up' | 'down' | 'remove'

const colours = { properties: 'blue', events: 'orange', services: 'green' }
const nouns = { properties: 'property', events: 'event', services: 'service' } as const

type Props = {
  rows: Standing[]
  dialect: string
  able: boolean
  troubles: Map<string, Trouble[]>
  edit: (s: Standing) => void
  act: (what: Doing, s: Standing) => void
  can: (what: Doing, s: Standing) => boolean
}

// FeatureTable lists properties, events and services, each with what can be
// done to it.
export function FeatureTable({ rows, dialect, able, troubles, edit, act, can }: Props) {
  const t = useTexts(modelTexts)
  const { sm = true, md = true } = Grid.useBreakpoint()
  // aside is what the columns say that a narrow screen has no room for.
  const aside = (s: Standing) => [!sm && 'type' in s.feature && typeWord(s.feature.type, dialect), !md && definition(s.feature, t)].filter(Boolean).join(' · ')
  const menu = (s: Standing) => ({
    items: (['edit', 'duplicate', 'up', 'down', 'remove'] as const).map((key) => ({ key, label: t[key], danger: key === 'remove', disabled: key !== 'edit' && !can(key, s) })),
    onClick: ({ key }: { key: string }) => (key === 'edit' ? edit(s) : act(key as Doing, s)),
  })
  return (
    <Table<Standing>
      size="small"
      rowKey={(s) => `${s.place}[${s.index}]`}
      dataSource={rows}
      pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
      locale={{ emptyText: t.nothing }}
      columns={[
        {
          title: t.name,
          render: (_, s) => {
            const wrong = troubles.get(`${s.place}[${s.index}]`)?.[0]
            return (
              <Flex vertical align="start" gap={2} style={{ overflowWrap: 'anywhere' }}>
                <Flex gap={6} align="center" wrap>
                  <Tag color={colours[s.place]} style={{ margin: 0, minWidth: 56, textAlign: 'center' }}>{t[nouns[s.place]]}</Tag>
                  <Button type="link" size="small" onClick={() => edit(s)} style={{ padding: 0, height: 'auto', whiteSpace: 'normal', textAlign: 'start' }}>
                    {s.feature.name || splitID(s.feature.id)[1] || '—'}
                  </Button>
                  {wrong && (
                    <Tooltip title={t.troubles[wrong.what]}>
                      <Typography.Text type={isSerious(wrong) ? 'danger' : 'warning'} role="img" aria-label={t.troubles[wrong.what]}><ExclamationCircleOutlined /></Typography.Text>
                    </Tooltip>
                  )}
                </Flex>
                <Typography.Text type="secondary" className="mono" style={{ fontSize: 12 }}>{s.feature.id}</Typography.Text>
                {aside(s) && <Typography.Text type="secondary" style={{ fontSize: 12 }}>{aside(s)}</Typography.Text>}
              </Flex>
            )
          },
        },
        { title: t.type, responsive: ['sm'], render: (_, s) => ('type' in s.feature ? <span className="mono">{typeWord(s.feature.type, dialect)}</span> : '—') },
        { title: t.definition, responsive: ['md'], render: (_, s) => <span style={{ overflowWrap: 'anywhere' }}>{definition(s.feature, t) || '—'}</span> },
        { title: t.access, responsive: ['lg'], render: (_, s) => ('access' in s.feature ? t.accesses[s.feature.access] : '—') },
        {
          title: t.actions,
          align: 'right',
          width: 72,
          hidden: !able,
          render: (_, s) => (
            <Dropdown trigger={['click']} menu={menu(s)}>
              <Button type="text" size="small" icon={<EllipsisOutlined />} aria-label={t.actionsOf(s.feature.id)} />
            </Dropdown>
          ),
        },
      ]}
    />
  )
}
