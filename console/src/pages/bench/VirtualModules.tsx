import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Checkbox, Empty, Flex, Form, Segmented, Select, Skeleton, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { reachableKey } from '../../api/reachable'
import { may, useMe } from '../../app/session'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Trouble } from '../../parts/Trouble'
import { Desk } from './Desk'
import { Happening } from './Happening'
import type { Lesson } from './lessons'
import { useModuleLine } from './line'
import { Switches } from './Switches'
import { benchTexts } from './texts'

const modulesKey = ['bench', 'modules']

// VirtualModules are modules that the server is, for the visitor.
export function VirtualModules() {
  const t = useTexts(benchTexts)
  const allowed = may(useMe(), 'operator')
  const kinds = useQuery({ queryKey: ['bench', 'kinds'], queryFn: async () => (await must(api.GET('/api/v1/bench/kinds'))).items ?? [], staleTime: Infinity })
  const modules = useQuery({ queryKey: modulesKey, queryFn: async () => (await must(api.GET('/api/v1/bench/modules'))).items ?? [], refetchInterval: 15_000 })
  const [chosen, setChosen] = useState<string | null>(null)
  const error = kinds.error ?? modules.error
  if (error && !(kinds.data && modules.data)) return <Trouble error={error} again={() => Promise.all([kinds.refetch(), modules.refetch()])} />
  if (!kinds.data || !modules.data) return <Skeleton active />
  const module = modules.data.find((m) => m.id === chosen) ?? modules.data[0]
  const kind = kinds.data.find((k) => k.name === module?.kind)
  return (
    <Flex vertical gap={16}>
      {!allowed && <Alert type="info" showIcon title={t.operators} />}
      <Starter kinds={kinds.data} allowed={allowed} started={setChosen} />
      {modules.data.length > 1 && (
        <div style={{ overflowX: 'auto' }}>
          <Segmented value={module?.id ?? ''} onChange={setChosen} options={modules.data.map((m) => ({ value: m.id, label: `${kinds.data.find((k) => k.name === m.kind)?.title ?? m.kind} · ${m.id}` }))} />
        </div>
      )}
      {module && kind ? <AtWork key={module.id} module={module} kind={kind} allowed={allowed} /> : <Card><Empty description={t.none} /></Card>}
    </Flex>
  )
}

function Starter({ kinds, allowed, started }: { kinds: Schemas['ModuleKind'][]; allowed: boolean; started: (id: string) => void }) {
  const t = useTexts(benchTexts)
  const { language } = useLanguage()
  const cache = useQueryClient()
  const { message } = App.useApp()
  const [name, setName] = useState(kinds[0]?.name ?? '')
  const [firmware, setFirmware] = useState<string | null>(null)
  const [fast, setFast] = useState(false)
  const kind = kinds.find((k) => k.name === name)
  const start = useMutation({
    mutationFn: () => must(api.POST('/api/v1/bench/modules', { body: { kind: name, fast, ...(firmware ? { firmware } : {}) } })),
    onSuccess: async (m) => {
      await cache.invalidateQueries({ queryKey: modulesKey })
      started(m.id)
    },
    onError: (e) => void message.error(e.message),
  })
  return (
    <Card size="small">
      <Form layout="inline" onFinish={() => start.mutate()} style={{ rowGap: 8 }}>
        <Form.Item label={t.module}>
          <Select aria-label={t.module} value={name} style={{ width: 220 }} onChange={(v) => { setName(v); setFirmware(null) }} options={kinds.map((k) => ({ value: k.name, label: k.title }))} />
        </Form.Item>
        <Form.Item label={t.firmware}>
          <Select aria-label={t.firmware}
            value={firmware ?? kind?.firmwares?.[0]?.name ?? ''} style={{ width: 220 }} onChange={setFirmware}
            options={(kind?.firmwares ?? []).map((f) => ({ value: f.name, label: f.name, title: language === 'zh' ? f.helpZh : f.help }))}
          />
        </Form.Item>
        <Form.Item>
          <Checkbox checked={fast} onChange={(e) => setFast(e.target.checked)}>{t.fast}</Checkbox>
        </Form.Item>
        <Tooltip title={allowed ? t.reach : t.operators}>
          <Button type="primary" htmlType="submit" disabled={!allowed} loading={start.isPending}>{t.start}</Button>
        </Tooltip>
      </Form>
    </Card>
  )
}

function AtWork({ module, kind, allowed }: { module: Schemas['BenchModule']; kind: Schemas['ModuleKind']; allowed: boolean }) {
  const t = useTexts(benchTexts)
  const { language } = useLanguage()
  const cache = useQueryClient()
  const { message } = App.useApp()
  const again = () => {
    void cache.invalidateQueries({ queryKey: modulesKey })
    void cache.invalidateQueries({ queryKey: reachableKey }) // perhaps it is not the module that is gone
  }
  const line = useModuleLine(allowed ? module.id : null, again)
  const path = { params: { path: { module: module.id } } }
  const stop = useMutation({ mutationFn: () => must(api.DELETE('/api/v1/bench/modules/{module}', path)), onSettled: again, onError: (e) => void message.error(e.message) })
  const reset = useMutation({ mutationFn: () => must(api.POST('/api/v1/bench/modules/{module}/reset', path)), onError: (e) => void message.error(e.message) })
  const since = new Date(module.started).toLocaleTimeString(language === 'zh' ? 'zh-CN' : 'en-GB', { timeStyle: 'short' })
  return (
    <Desk
      line={line} module={module.kind as Lesson['module']} real={false}
      title={<Tooltip title={t.startedBy(module.by, since)}><span>{kind.title} <Typography.Text type="secondary" style={{ fontWeight: 'normal' }}>{module.firmware}</Typography.Text></span></Tooltip>}
      extra={
        <Flex gap={4}>
          <Button size="small" disabled={!allowed} loading={reset.isPending} onClick={() => reset.mutate()}>{t.reset}</Button>
          <Button size="small" danger disabled={!allowed} loading={stop.isPending} onClick={() => stop.mutate()}>{t.stop}</Button>
        </Flex>
      }
      below={
        <>
          <Happening events={line.events} clear={line.clear} />
          <Switches module={module} kind={kind} allowed={allowed} />
        </>
      }
    />
  )
}
