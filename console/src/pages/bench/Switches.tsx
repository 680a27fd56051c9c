import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Card, Col, Flex, Input, Row, Switch, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useLanguage, useTexts } from '../../i18n/texts'
import { benchTexts } from './texts'

// Switches let a module be another unit of its kind, or go wrong.
export function Switches({ module, kind, allowed }: { module: Schemas['BenchModule']; kind: Schemas['ModuleKind']; allowed: boolean }) {
  const t = useTexts(benchTexts)
  const cache = useQueryClient()
  const { message } = App.useApp()
  const done = { onSuccess: () => cache.invalidateQueries({ queryKey: ['bench', 'modules'] }), onError: (e: Error) => void message.error(e.message) }
  const quirk = useMutation({
    mutationFn: (q: { name: string; on: boolean }) => must(api.PUT('/api/v1/bench/modules/{module}/quirks/{quirk}', { params: { path: { module: module.id, quirk: q.name } }, body: { on: q.on } })),
    ...done,
  })
  const fault = useMutation({
    mutationFn: (f: { name: string; on: boolean; value?: string }) =>
      must(api.PUT('/api/v1/bench/modules/{module}/faults/{fault}', { params: { path: { module: module.id, fault: f.name } }, body: { on: f.on, ...(f.value ? { value: f.value } : {}) } })),
    ...done,
  })
  return (
    <Row gutter={[16, 16]}>
      <Col xs={24} md={12}>
        <Card size="small" title={t.faults} style={{ height: '100%' }}>
          <Typography.Paragraph type="secondary">{t.faultsHelp}</Typography.Paragraph>
          {(kind.faults ?? []).map((f) => {
            const now = module.faults?.find((x) => x.name === f.name)
            return <Item key={f.name} item={f} on={now !== undefined} value={now?.value} disabled={!allowed} change={(on, value) => fault.mutate({ name: f.name, on, ...(value ? { value } : {}) })} />
          })}
        </Card>
      </Col>
      <Col xs={24} md={12}>
        <Card size="small" title={t.quirks} style={{ height: '100%' }}>
          <Typography.Paragraph type="secondary">{kind.quirks?.length ? t.quirksHelp : t.noQuirks}</Typography.Paragraph>
          {(kind.quirks ?? []).map((q) => <Item key={q.name} item={q} on={module.quirks?.includes(q.name) ?? false} disabled={!allowed} change={(on) => quirk.mutate({ name: q.name, on })} />)}
        </Card>
      </Col>
    </Row>
  )
}

function Item({ item, on, value, disabled, change }: { item: Schemas['ModuleItem']; on: boolean; value?: string | undefined; disabled: boolean; change: (on: boolean, value?: string) => void }) {
  const { language } = useLanguage()
  const [typed, setTyped] = useState(item.default ?? '')
  const help = language === 'zh' ? item.helpZh : item.help
  return (
    <Flex gap={8} align="start" style={{ padding: '4px 0' }}>
      <Switch size="small" checked={on} disabled={disabled} onChange={(v) => change(v, typed)} aria-label={help} style={{ flex: 'none', marginTop: 3 }} />
      <div style={{ minWidth: 0, flex: 1 }}>
        <span className="mono" style={{ fontSize: 12 }}>{item.name}</span>
        <Typography.Text type="secondary" style={{ display: 'block', fontSize: 12 }}>{help}</Typography.Text>
      </div>
      {item.default && <Input size="small" className="mono" style={{ width: 72, flex: 'none' }} value={on ? (value ?? typed) : typed} disabled={disabled || on} onChange={(e) => setTyped(e.target.value)} aria-label={item.name} />}
    </Flex>
  )
}
