import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Card, Flex, Input, Tag, Typography, Upload } from 'antd'
import { useEffect, useState } from 'react'
import type { Schemas } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Refused } from '../../parts/Refused'
import { difference } from './difference'
import { sendModel, useModels } from './models'
import { productTexts } from './texts'

const colors = { added: 'green', removed: 'red', changed: 'gold' }

// Model is the thing model: written here as JSON in any of the three forms,
// judged as one types, kept as a draft, published.
export function Model({ product: p }: { product: Schemas['Product'] }) {
  const t = useTexts(productTexts)
  const { language } = useLanguage()
  const able = may(useMe(), 'operator')
  const cache = useQueryClient()
  const models = useModels(p.key)
  const [text, setText] = useState<string>()
  const base = models.data?.draft ?? models.data?.items?.[0]
  const shown = text ?? (models.data ? JSON.stringify(base?.model ?? { properties: [], events: [], services: [] }, null, 2) : '')
  const [settled, setSettled] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => setSettled(shown), 400)
    return () => clearTimeout(timer)
  }, [shown])
  const check = useQuery({ queryKey: ['model-check', p.key, settled], queryFn: () => sendModel('POST', p.key, 'models/check', settled), enabled: settled !== '', gcTime: 0 })
  const send = useMutation({
    mutationFn: (what: 'draft' | 'publish' | 'drop') =>
      what === 'drop' ? sendModel('DELETE', p.key, 'models/draft') : sendModel('PUT', p.key, what === 'draft' ? 'models/draft' : 'model', shown),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ['products'] })
      setText(undefined)
    },
  })
  if (p.dataModel === 'streams') return <Alert type="info" title={t.streams} />
  const changes = check.data ? difference(models.data?.items?.[0]?.model, check.data.model) : []
  return (
    <Flex vertical gap={12}>
      <Refused error={models.error ?? send.error} />
      {models.data?.draft && <Alert type="info" showIcon title={t.draftOpen} action={able && <Button size="small" onClick={() => send.mutate('drop')}>{t.drop}</Button>} />}
      <Flex gap={8} wrap align="center">
        <Button type="primary" disabled={!able || !check.data || !!check.data.problem} title={able ? undefined : t.role} loading={send.isPending} onClick={() => send.mutate('publish')}>
          {t.publish}
        </Button>
        <Button disabled={!able || !check.data} onClick={() => send.mutate('draft')}>
          {t.saveDraft}
        </Button>
        <Upload accept=".json" showUploadList={false} beforeUpload={async (f) => { setText(await f.text()); return false }}>
          <Button>{t.importFile}</Button>
        </Upload>
        {['matou', 'aliyun', 'onenet'].map((form) => (
          <Button key={form} href={`/api/v1/products/${encodeURIComponent(p.key)}/model?format=${form}`}>
            {t.exportAs} {form}
          </Button>
        ))}
      </Flex>
      <Input.TextArea className="mono" aria-label={t.json} spellCheck={false} value={shown} readOnly={!able} onChange={(e) => setText(e.target.value)} autoSize={{ minRows: 14, maxRows: 30 }} />
      <Typography.Text type="secondary">{t.formHelp}</Typography.Text>
      <Refused error={check.error} />
      {check.data && <Alert type={check.data.problem ? 'error' : 'success'} showIcon title={check.data.problem ?? t.right} />}
      <Card size="small" title={t.changes}>
        {changes.length === 0 ? t.same : changes.map((c) => (
          <div key={c.place + c.id}>
            <Tag color={colors[c.what]}>{t[c.what]}</Tag> <span className="mono">{c.place}.{c.id}</span>
          </div>
        ))}
      </Card>
      <Card size="small" title={t.versions}>
        {(models.data?.items ?? []).map((v) => (
          <Flex key={v.version} justify="space-between" align="center">
            <span>v{v.version} · {new Date(v.at).toLocaleString(language)}</span>
            <Button type="link" onClick={() => setText(JSON.stringify(v.model, null, 2))}>{t.load}</Button>
          </Flex>
        ))}
      </Card>
    </Flex>
  )
}
