import { PlusOutlined } from '@ant-design/icons'
import { useQuery } from '@tanstack/react-query'
import { Button, Flex, Skeleton, Tabs, Tag, Tooltip, Typography } from 'antd'
import { Link, useNavigate, useParams, useSearchParams } from 'react-router'
import { api, must } from '../../api/client'
import { may, useMe } from '../../app/session'
import { appTexts } from '../../app/texts'
import { useTexts } from '../../i18n/texts'
import { missing, NotShown } from '../../parts/NotShown'
import { ruleTexts } from '../../parts/ruleTexts'
import { UnsavedGuard } from '../../parts/Unsaved'
import { productsTexts } from '../products/texts'
import { Config } from './config'
import { Model } from './model'
import { Registration } from './registration'
import { Script } from './script'
import { Settings, settingsOf } from './settings'
import { productTexts } from './texts'
import { Topics } from './topics'

export function Page() {
  const t = useTexts(productTexts)
  const frame = useTexts(appTexts)
  const words = useTexts(productsTexts)
  const rules = useTexts(ruleTexts)
  const able = may(useMe(), 'operator')
  const go = useNavigate()
  const product = useParams().product ?? ''
  const [query, setQuery] = useSearchParams()
  const found = useQuery({ queryKey: ['products', product], queryFn: () => must(api.GET('/api/v1/products/{product}', { params: { path: { product } } })) })
  const p = found.data
  if (found.isPending) return <Skeleton active />
  if (!p || missing(found.error)) return <NotShown error={found.error} again={found.refetch} to="/products" toTitle={frame.products} />
  const devices = `/devices?product=${encodeURIComponent(p.key)}`
  return (
    <UnsavedGuard>
      <Flex vertical gap={12}>
        <Flex align="center" gap={8} wrap>
          <Typography.Title level={2} style={{ margin: 0 }}>
            {p.name || p.key}
          </Typography.Title>
          <Tag>{words.dialects[p.dialect] ?? p.dialect}</Tag>
          {p.strictness === 'open' && <Tag color="red">{rules.strict.open}</Tag>}
          <Typography.Text copyable className="mono" type="secondary">
            {p.key}
          </Typography.Text>
          <span style={{ flex: 1 }} />
          <Flex align="center" gap={8} wrap>
            <Link to={devices}>{t.devices(p.devices)}</Link>
            <Tooltip title={able ? undefined : t.role}>
              <Button icon={<PlusOutlined aria-hidden />} disabled={!able} onClick={() => void go(devices, { state: { way: 'one' } })}>{t.newDevice}</Button>
            </Tooltip>
          </Flex>
        </Flex>
        <Tabs
          activeKey={query.get('tab') ?? 'model'}
          onChange={(tab) => setQuery({ tab }, { replace: true })}
          items={[
            { key: 'model', label: t.model, children: <Model product={p} /> },
            ...(p.dialect === 'mqtt' ? [] : [{ key: 'script', label: t.script, children: <Script product={p} /> }]),
            ...(p.dialect === 'aliyun'
              ? [
                  { key: 'topics', label: t.topics, children: <Topics product={p.key} /> },
                  { key: 'registration', label: t.registration, children: <Registration product={p} /> },
                  { key: 'config', label: t.config, children: <Config product={p} /> },
                ]
              : []),
            { key: 'settings', label: t.settings, children: <Settings key={JSON.stringify(settingsOf(p))} product={p} /> },
          ]}
        />
      </Flex>
    </UnsavedGuard>
  )
}
