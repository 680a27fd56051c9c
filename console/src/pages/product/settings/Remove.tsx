import { useQueryClient } from '@tanstack/react-query'
import { App, Button, Card, Flex, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { api, type Schemas } from '../../../api/client'
import { useLanguage, useTexts } from '../../../i18n/texts'
import { Ask } from '../../../parts/Ask'
import { nothingToSave } from '../../../parts/Unsaved'
import { productSettingTexts } from './texts'

// Remove ends a product; its key has to be typed first.
export function Remove({ product: p, able }: { product: Schemas['Product']; able: boolean }) {
  const t = useTexts(productSettingTexts)
  const { language } = useLanguage()
  const { message } = App.useApp()
  const cache = useQueryClient()
  const go = useNavigate()
  const [asking, setAsking] = useState(false)
  return (
    <Card size="small" title={t.end}>
      <Flex gap={12} wrap align="center" justify="space-between">
        <Typography.Text type="secondary">{t.endHelp}</Typography.Text>
        <Tooltip title={able ? undefined : t.role}>
          <Button danger disabled={!able} onClick={() => setAsking(true)}>{t.remove}</Button>
        </Tooltip>
      </Flex>
      {asking && (
        <Ask
          title={t.removeTitle(p.name || p.key)}
          consequences={t.removeWhat(p.devices.toLocaleString(language))}
          action={t.remove}
          word={p.key}
          close={() => setAsking(false)}
          act={async () => {
            await api.DELETE('/api/v1/products/{product}', { params: { path: { product: p.key }, query: { force: true } } })
            message.success(t.gone(p.name || p.key))
            await go('/products', { replace: true, flushSync: true, state: nothingToSave }) // the page has gone before what it showed has
            cache.removeQueries({ queryKey: ['products', p.key] })
            void cache.invalidateQueries({ queryKey: ['products'] })
            return null
          }}
        />
      )}
    </Card>
  )
}
