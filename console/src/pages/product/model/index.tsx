import { ExportOutlined, ImportOutlined, RedoOutlined, UndoOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Flex, Segmented, Skeleton, Tooltip, Typography } from 'antd'
import { useEffect, useMemo, useState } from 'react'
import type { Schemas } from '../../../api/client'
import { may, useMe } from '../../../app/session'
import { useTexts } from '../../../i18n/texts'
import { Editor } from '../../../parts/Editor'
import { Refused } from '../../../parts/Refused'
import { useUnsaved } from '../../../parts/Unsaved'
import { productTexts } from '../texts'
import { ExportModel } from './ExportModel'
import { FormView } from './FormView'
import { ImportModel } from './ImportModel'
import { Lost } from './Lost'
import { dropDraft, saveModel, useCheck, useModels } from './models'
import { readModel, writeModel } from './read'
import { modelTexts } from './texts'
import { empty, type Model as ThingModel } from './types'
import { useEdited } from './useEdited'
import { Changes, Versions } from './Versions'

const ownText = (model: unknown) => writeModel(readModel(model) ?? empty)

// Model is the thing model, one text that is seen as a form or as JSON: judged
// as one types, kept as a draft, published.
export function Model({ product: p }: { product: Schemas['Product'] }) {
  const t = useTexts(productTexts)
  const m = useTexts(modelTexts)
  const { message } = App.useApp()
  const able = may(useMe(), 'operator')
  const cache = useQueryClient()
  const models = useModels(p.key)
  const edited = useEdited()
  const [view, setView] = useState<'form' | 'json'>('form')
  const [dialog, setDialog] = useState<'import' | 'export'>()
  const saved = useMemo(() => (models.data ? ownText((models.data.draft ?? models.data.items?.[0])?.model) : ''), [models.data])
  const text = edited.text ?? saved
  const dirty = models.data !== undefined && text !== saved
  useUnsaved(dirty)
  const check = useCheck(p.key, text)
  // What Matou's form can say is shown at once, another form when it was read.
  const model = useMemo(() => readModel(text) ?? readModel(check.data?.model), [text, check.data])
  const change = (next: ThingModel) => edited.write(writeModel(next))
  const send = useMutation({
    mutationFn: (what: 'draft' | 'publish' | 'drop') => (what === 'drop' ? dropDraft(p.key) : saveModel(p.key, what === 'draft' ? 'models/draft' : 'model', text)),
    onSuccess: async (_, what) => {
      await cache.invalidateQueries({ queryKey: ['products'] })
      edited.saved()
      if (what !== 'drop') message.success(what === 'draft' ? t.saved : t.published)
    },
  })
  useUndoKeys(edited)
  if (p.dataModel === 'streams') return <Alert type="info" title={t.streams} />
  if (!models.data) return models.isPending ? <Skeleton active /> : <Refused error={models.error} />
  const versions = models.data.items ?? []
  const publishable = able && check.settled && check.data !== undefined && !check.data.problem
  return (
    <Flex vertical gap={12}>
      {models.data.draft && <Alert type="info" showIcon title={t.draftOpen} action={able && <Button size="small" onClick={() => send.mutate('drop')}>{t.drop}</Button>} />}
      <Flex gap={8} wrap align="center">
        <Segmented aria-label={m.view} value={view} onChange={setView} options={(['form', 'json'] as const).map((value) => ({ value, label: m[value] }))} />
        <Tooltip title={m.undo}><Button icon={<UndoOutlined />} aria-label={m.undo} disabled={!able || !edited.canUndo} onClick={edited.undo} /></Tooltip>
        <Tooltip title={m.redo}><Button icon={<RedoOutlined />} aria-label={m.redo} disabled={!able || !edited.canRedo} onClick={edited.redo} /></Tooltip>
        <Button icon={<ImportOutlined />} disabled={!able} title={able ? undefined : t.role} onClick={() => setDialog('import')}>{m.import}</Button>
        <Button icon={<ExportOutlined />} onClick={() => setDialog('export')}>{m.export}</Button>
        <span style={{ flex: 1 }} />
        <Button disabled={!able || !dirty || !check.data} title={able ? undefined : t.role} loading={send.isPending && send.variables === 'draft'} onClick={() => send.mutate('draft')}>{t.saveDraft}</Button>
        <Button type="primary" disabled={!publishable || (!dirty && !models.data.draft)} title={able ? undefined : t.role} loading={send.isPending && send.variables === 'publish'} onClick={() => send.mutate('publish')}>{t.publish}</Button>
      </Flex>
      <Refused error={send.error} />
      {check.data && check.data.format !== 'matou' && check.data.lost && check.data.lost.length > 0 && <Lost lost={check.data.lost} />}
      {view === 'json' && (
        <>
          <Editor label={t.json} value={text} change={able ? (next) => edited.write(next, true) : undefined} mark={check.mistake?.line} rows={24} />
          <Typography.Text type="secondary">{t.formHelp}</Typography.Text>
        </>
      )}
      {view === 'form' && model && (
        <FormView model={model} dialect={p.dialect} able={able} problem={check.data?.problem} change={change} undo={edited.undo} bringIn={() => setDialog('import')} />
      )}
      {view === 'form' && !model && check.settled && <Alert type="warning" showIcon title={m.unread} action={<Button size="small" onClick={() => setView('json')}>{m.toJSON}</Button>} />}
      {check.mistake && <Alert type="error" showIcon title={m.noJSON(check.mistake.line)} />}
      <Refused error={check.error} />
      {view === 'json' && check.data?.problem && <Alert type="error" showIcon title={check.data.problem} />}
      {check.data && !check.data.problem && (dirty || models.data.draft) && <Alert type="success" showIcon title={t.right} />}
      {!check.settled && <Typography.Text type="secondary">{m.checking}</Typography.Text>}
      {model && <Changes model={model} versions={versions} />}
      <Versions versions={versions} able={able} take={(v) => edited.write(ownText(v.model))} />
      {dialog === 'import' && <ImportModel product={p.key} present={model ?? empty} take={change} close={() => setDialog(undefined)} />}
      {dialog === 'export' && <ExportModel product={p.key} dialect={p.dialect} text={text} close={() => setDialog(undefined)} />}
    </Flex>
  )
}

// useUndoKeys takes back and does again by Ctrl+Z and Ctrl+Shift+Z, except in a
// field, which has its own.
function useUndoKeys({ undo, redo }: { undo: () => void; redo: () => void }) {
  useEffect(() => {
    const key = (e: KeyboardEvent) => {
      if (!(e.ctrlKey || e.metaKey) || e.key.toLowerCase() !== 'z' || (e.target instanceof Element && e.target.closest('input, textarea, [role="dialog"]'))) return
      e.preventDefault()
      if (e.shiftKey) redo()
      else undo()
    }
    addEventListener('keydown', key)
    return () => removeEventListener('keydown', key)
  }, [undo, redo])
}
