import { Button, Card, Flex, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../../api/client'
import { useTexts } from '../../../i18n/texts'
import { NewSecret } from '../../../parts/NewSecret'
import { Secret } from '../../../parts/Secret'
import { productSettingTexts } from './texts'

// ProductSecret is the secret that all devices of a product share.
export function ProductSecret({ product: p, able }: { product: Schemas['Product']; able: boolean }) {
  const t = useTexts(productSettingTexts)
  const [asking, setAsking] = useState(false)
  const [times, setTimes] = useState(0)
  const what = p.dialect === 'onenet' ? t.accessKey : t.secret
  const params = { path: { product: p.key } }
  return (
    <Card size="small" title={what}>
      <Flex vertical gap={8}>
        <Typography.Text type="secondary">{t.secretHelp[p.dialect]}</Typography.Text>
        <Flex gap={12} wrap align="center" justify="space-between">
          <Secret key={times} name={what} allowed={able} load={async () => (await must(api.GET('/api/v1/products/{product}', { params: { ...params, query: { secrets: true } } }))).secret ?? ''} />
          <Tooltip title={able ? undefined : t.role}>
            <Button danger disabled={!able} onClick={() => setAsking(true)}>{t.reset}</Button>
          </Tooltip>
        </Flex>
      </Flex>
      {asking && (
        <NewSecret
          title={t.resetTitle(what)}
          consequences={t.resetWhat[p.dialect] ?? []}
          action={t.reset}
          done={t.resetDone}
          close={() => setAsking(false)}
          reset={async (body) => {
            const now = await must(api.POST('/api/v1/products/{product}/secret', { params, body }))
            setTimes(times + 1)
            return now.secret ?? ''
          }}
        />
      )}
    </Card>
  )
}
