import { useQueryClient } from '@tanstack/react-query'
import { App, Button, Flex, Typography } from 'antd'
import { useState } from 'react'
import { api, must } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { Ask } from '../../parts/Ask'
import { accountTexts } from './texts'

// Everywhere ends all of one's sessions.
export function Everywhere() {
  const t = useTexts(accountTexts)
  const { message } = App.useApp()
  const cache = useQueryClient()
  const [asking, setAsking] = useState(false)
  return (
    <Flex gap={12} wrap align="center" justify="space-between">
      <Typography.Text type="secondary">{t.everywhereHelp}</Typography.Text>
      <Button danger onClick={() => setAsking(true)}>{t.everywhere}</Button>
      {asking && (
        <Ask
          title={t.everywhereTitle}
          consequences={t.everywhereWhat}
          action={t.everywhere}
          close={() => setAsking(false)}
          act={async () => {
            const { ended } = await must(api.DELETE('/api/v1/me/sessions'))
            message.success(t.ended(ended))
            cache.setQueryData(['me'], null)
            return null
          }}
        />
      )}
    </Flex>
  )
}
