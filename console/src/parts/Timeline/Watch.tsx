import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Flex, Switch, Tooltip, Typography } from 'antd'
import { api, must } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useLanguage, useTexts } from '../../i18n/texts'
import { timelineTexts } from './texts'

// Watch puts a device under watch, and back.
export function Watch({ product, device }: { product: string; device: string }) {
  const t = useTexts(timelineTexts)
  const { language } = useLanguage()
  const allowed = may(useMe(), 'operator')
  const cache = useQueryClient()
  const { message } = App.useApp()
  const key = ['watch', product, device]
  const path = { product, device }
  const watch = useQuery({
    queryKey: key,
    queryFn: () => must(api.GET('/api/v1/products/{product}/devices/{device}/timeline/watch', { params: { path } })),
    retry: false,
    refetchInterval: 30_000,
  })
  const turn = useMutation({
    mutationFn: async (on: boolean) => {
      if (on) await api.PUT('/api/v1/products/{product}/devices/{device}/timeline/watch', { params: { path }, body: {} })
      else await api.DELETE('/api/v1/products/{product}/devices/{device}/timeline/watch', { params: { path } })
    },
    onSuccess: () => cache.invalidateQueries({ queryKey: key }),
    onError: (e) => message.error(e.message),
  })
  const until = watch.data?.on && watch.data.until
  return (
    <Tooltip title={allowed ? t.watchHint : t.watchDenied}>
      <Flex gap={8} align="center" component="label">
        <Switch checked={watch.data?.on ?? false} loading={turn.isPending} disabled={!allowed || !watch.data} onChange={(on) => turn.mutate(on)} aria-label={t.watch} />
        {t.watch}
        {until && <Typography.Text type="secondary">{t.until(new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(new Date(until)))}</Typography.Text>}
      </Flex>
    </Tooltip>
  )
}
