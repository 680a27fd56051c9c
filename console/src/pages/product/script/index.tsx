import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Col, Flex, Row, Skeleton, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { api, must, Problem, type Schemas } from '../../../api/client'
import { may, useMe } from '../../../app/session'
import { useTexts } from '../../../i18n/texts'
import { Ask } from '../../../parts/Ask'
import { Editor } from '../../../parts/Editor'
import { Refused } from '../../../parts/Refused'
import { Trouble } from '../../../parts/Trouble'
import { useUnsaved } from '../../../parts/Unsaved'
import { When } from '../../../parts/When'
import { Bench } from './Bench'
import { first } from './first'
import { scriptTexts } from './texts'
import { useTrial } from './trial'

const route = '/api/v1/products/{product}/script'

// Script is the parsing script of a product, with a bench that runs what stands
// in the editor.
export function Script({ product: p }: { product: Schemas['Product'] }) {
  const t = useTexts(scriptTexts)
  const { message } = App.useApp()
  const able = may(useMe(), 'operator')
  const cache = useQueryClient()
  const product = p.key
  const params = { path: { product } }
  const key = ['products', product, 'script', p.script ?? 0]
  const fresh = () => cache.invalidateQueries({ queryKey: ['products', product], exact: true })
  const kept = useQuery({
    queryKey: key,
    queryFn: () => (p.script ? must(api.GET(route, { params })) : null),
    placeholderData: (old) => old, // the bench beside it stays as it is
  })
  const [edited, setEdited] = useState<string>()
  const [leaving, setLeaving] = useState(false)
  const saved = kept.data ? (kept.data.source ?? '') : first(p.dialect)
  const source = edited ?? saved
  const unsaved = edited !== undefined && edited !== saved
  useUnsaved(unsaved)
  const trial = useTrial(product, p.dialect)
  const save = useMutation({
    mutationFn: () => must(api.PUT(route, { params, body: { source } })),
    onSuccess: async (now) => {
      await fresh()
      setEdited(undefined)
      message.success(t.saved(now.version))
    },
  })
  if (kept.isPending) return <Skeleton active />
  const line = trial.run.data?.error?.line ?? lineOf(save.error)
  const edit = (text: string) => {
    setEdited(text)
    save.reset()
    if (trial.run.data?.error) trial.run.reset() // its line may be another one by now
  }
  return (
    <Flex vertical gap={12}>
      <Typography.Text type="secondary">{t.about}</Typography.Text>
      <Trouble error={kept.error} again={kept.refetch} />
      <Row gutter={[16, 16]}>
        <Col xs={24} xl={14}>
          <Flex vertical gap={8}>
            <Flex gap={8} wrap align="center">
              {kept.data ? (
                <>
                  <Tag>{t.version(kept.data.version)}</Tag>
                  <Typography.Text type="secondary">{t.savedAt} <When at={kept.data.updatedAt} /></Typography.Text>
                  <Typography.Text type="secondary">{t.has}</Typography.Text>
                  {kept.data.functions?.map((f) => <Tag key={f} color="processing" className="mono">{f}</Tag>)}
                </>
              ) : <Typography.Text type="secondary">{t.none}</Typography.Text>}
              {unsaved && <Tag color="orange">{t.edited}</Tag>}
            </Flex>
            <Editor label={t.source} value={source} change={able ? edit : undefined} mark={line} rows={26} />
            <Flex gap={8} wrap>
              <Tooltip title={able ? undefined : t.role}>
                <Button type="primary" disabled={!able || (!unsaved && !!kept.data)} loading={save.isPending} onClick={() => save.mutate()}>{t.save}</Button>
              </Tooltip>
              {unsaved && <Button onClick={() => { setEdited(undefined); save.reset() }}>{t.back}</Button>}
              {kept.data && able && <Button danger onClick={() => setLeaving(true)}>{t.remove}</Button>}
            </Flex>
            <Refused error={save.error} />
          </Flex>
        </Col>
        <Col xs={24} xl={10}>
          <Bench product={product} source={source} able={able} trial={trial} />
        </Col>
      </Row>
      {leaving && (
        <Ask
          title={t.removeTitle}
          consequences={t.removeWhat}
          action={t.remove}
          close={() => setLeaving(false)}
          act={async () => {
            await api.DELETE(route, { params })
            await fresh()
            cache.removeQueries({ queryKey: ['products', product, 'script'], type: 'inactive' }) // a new one begins at version 1 again
            setEdited(undefined)
            return null
          }}
        />
      )}
    </Flex>
  )
}

// lineOf is the line that a refusal to save names.
function lineOf(error: unknown): number | undefined {
  const line = error instanceof Problem ? /line (\d+)/.exec(error.detail)?.[1] : undefined
  return line ? Number(line) : undefined
}
