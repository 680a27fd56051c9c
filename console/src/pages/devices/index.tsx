import { DownloadOutlined, DownOutlined, PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Alert, Button, Dropdown, Empty, Flex, Space, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { Link, useLocation, useNavigate } from 'react-router'
import { api, must } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useTexts } from '../../i18n/texts'
import { problemText } from '../../parts/problem'
import { Bulk } from './Bulk'
import { nobody, pageSize, useDevices, type Choice } from './data'
import { useFilter, type Filter } from './filter'
import { Filters } from './Filters'
import { List } from './List'
import { NewDevices, type Way } from './NewDevices'
import { devicesTexts } from './texts'

export function Page() {
  const t = useTexts(devicesTexts)
  const working = may(useMe(), 'operator')
  const [filter, narrow] = useFilter()
  // Who comes from a product to make a device finds the form open, once.
  const here = useLocation()
  const go = useNavigate()
  const [way, setWay] = useState<Way | null>((here.state as { way?: Way } | null)?.way ?? null)
  const close = () => {
    setWay(null)
    if (here.state) void go({ search: here.search }, { replace: true, state: null })
  }
  // The cursors of the pages up to this one: the API knows only the way on.
  const [after, setAfter] = useState<string[]>([])
  const products = useQuery({
    queryKey: ['products', 'all'],
    queryFn: async () => (await must(api.GET('/api/v1/products', { params: { query: { limit: 1000 } } }))).items ?? [],
  })
  const cursor = after.at(-1)
  const { devices, count } = useDevices(filter, cursor)
  const [choice, choose] = useState<Choice>(nobody)
  const change = (f: Filter) => {
    setAfter([])
    choose(nobody)
    narrow(f)
  }
  const filtered = Object.keys(filter).length > 0
  const all = products.data ?? []
  const shown = devices.data?.items ?? []
  const create = (
    <Space.Compact>
      <Button type="primary" icon={<PlusOutlined />} disabled={!working || all.length === 0} onClick={() => setWay('one')}>
        {t.create}
      </Button>
      <Dropdown
        trigger={['click']}
        disabled={!working || all.length === 0}
        menu={{ items: [{ key: 'many', label: t.createMany }, { key: 'csv', label: t.import }], onClick: (m) => setWay(m.key as Way) }}
      >
        <Button type="primary" icon={<DownOutlined />} aria-label={t.createMany} disabled={!working || all.length === 0} />
      </Dropdown>
    </Space.Compact>
  )
  return (
    <Flex vertical gap={16}>
      <Flex align="center" gap={8} wrap justify="space-between">
        <Typography.Title level={2} style={{ margin: 0 }}>
          {t.title}
        </Typography.Title>
        <Flex gap={8} wrap>
          <Tooltip title={filter.product ? t.exportFull : t.exportHelp}>
            <Button
              icon={<DownloadOutlined />}
              disabled={!working || !filter.product}
              {...(filter.product ? { href: `/api/v1/products/${encodeURIComponent(filter.product)}/devices.csv` } : {})}
              download
            >
              {t.export}
            </Button>
          </Tooltip>
          <Tooltip title={working ? '' : t.operators}>{create}</Tooltip>
        </Flex>
      </Flex>
      <Filters filter={filter} change={change} products={all} />
      {devices.isError && (
        <Alert type="error" showIcon title={t.failed} description={problemText(devices.error)} action={<Button onClick={() => void devices.refetch()}>{t.again}</Button>} />
      )}
      {(choice.all || choice.devices.size > 0) && (
        <Bulk
          choice={choice}
          count={count.data ?? 0}
          shown={shown.length}
          filter={filter}
          all={() => choose({ ...choice, all: true })}
          clear={() => choose(nobody)}
        />
      )}
      <List
        devices={shown}
        products={all}
        loading={devices.isPending || devices.isPlaceholderData}
        choice={working ? choice : null}
        choose={choose}
        empty={
          products.data?.length === 0 ? (
            <Empty description={t.noProduct}>
              <Link to="/products">{t.toProducts}</Link>
            </Empty>
          ) : (
            <Empty description={filtered ? t.noMatch : t.none}>
              {filtered && <Button onClick={() => change({ text: '', product: '', state: '', tag: '', batch: '' })}>{t.clear}</Button>}
            </Empty>
          )
        }
      />
      {shown.length > 0 && (
        <Flex justify="end" align="center" gap={8} wrap>
          <Typography.Text type="secondary" style={{ marginInlineEnd: 'auto' }} aria-live="polite">
            {t.range(after.length * pageSize + 1, after.length * pageSize + shown.length, count.data)}
          </Typography.Text>
          <Button disabled={after.length === 0} onClick={() => setAfter(after.slice(0, -1))}>
            {t.previous}
          </Button>
          <Button disabled={!devices.data?.next || devices.isPlaceholderData} onClick={() => setAfter([...after, devices.data!.next!])}>
            {t.next}
          </Button>
        </Flex>
      )}
      <NewDevices way={way} close={close} products={all} {...(filter.product ? { product: filter.product } : {})} />
    </Flex>
  )
}
