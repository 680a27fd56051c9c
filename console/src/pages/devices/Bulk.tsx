import { useQueryClient } from '@tanstack/react-query'
import { App, Button, Flex, Form, Modal, Progress, Select, Tooltip, Typography } from 'antd'
import { useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { api, must } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { problemText } from '../../parts/problem'
import { parts, useTags, type Choice, type Id } from './data'
import type { Filter } from './filter'
import { devicesTexts } from './texts'

type Props = { choice: Choice; count: number; shown: number; filter: Filter; all: () => void; clear: () => void }

// A Run is work on many devices that is under way.
type Run = { title: string; done: number; of: number; stop: AbortController }

const mostUpgrades = 10_000

// Bulk does something with the devices that were chosen, also on pages that are
// not shown: some hundred at a time, and it can be stopped in between.
export function Bulk({ choice, count, shown, filter, all, clear }: Props) {
  const t = useTexts(devicesTexts)
  const { modal, message } = App.useApp()
  const cache = useQueryClient()
  const navigate = useNavigate()
  const [run, setRun] = useState<Run | null>(null)
  const [tagging, setTagging] = useState(false)
  const ended = useRef<Promise<unknown>>(Promise.resolve())
  const n = choice.all ? count : choice.devices.size
  const products = new Set([...choice.devices.values()].map((d) => d.product))
  const product = choice.all ? filter.product : products.size === 1 ? [...products][0] : undefined

  const work = async (title: string, what: (ids: Id[]) => Promise<number>) => {
    const stop = new AbortController()
    let [done, seen] = [0, 0]
    const show = () => setRun({ title, done: seen, of: Math.max(n, seen), stop })
    show()
    try {
      for await (const ids of parts(choice, filter, stop.signal)) {
        if (stop.signal.aborted) break
        done += await what(ids)
        seen += ids.length
        show()
      }
      if (stop.signal.aborted) void message.info(t.stopped(done))
      else void message.success(t.done(done))
      clear()
    } catch (e) {
      if (stop.signal.aborted) void message.info(t.stopped(done))
      else void message.error(`${t.stopped(done)} ${problemText(e as Error)}`)
    } finally {
      setRun(null)
      void cache.invalidateQueries({ queryKey: ['devices'] })
    }
  }
  const start = (title: string, what: (ids: Id[]) => Promise<number>) => {
    ended.current = work(title, what)
  }
  const change = (body: { enabled?: boolean; set?: Record<string, string>; remove?: string[] }) => async (devices: Id[]) =>
    (await must(api.POST('/api/v1/devices/change', { body: { devices, ...body } }))).changed
  const sure = (title: string, okText: string, then: () => void) => void modal.confirm({ title, okText, okButtonProps: { danger: true }, cancelText: t.cancel, onOk: then })
  const upgrade = async () => {
    const names: string[] = []
    for await (const ids of parts(choice, filter, new AbortController().signal)) names.push(...ids.map((id) => id.device))
    await navigate(`/upgrades?product=${encodeURIComponent(product ?? '')}`, { state: { devices: names } })
  }
  return (
    <Flex align="center" gap={8} wrap role="region" aria-label={t.chosen(n)}>
      <Typography.Text strong>{t.chosen(n)}</Typography.Text>
      {!choice.all && choice.devices.size >= shown && count > choice.devices.size && (
        <Button type="link" size="small" onClick={all}>{t.chooseAll(count)}</Button>
      )}
      <Button onClick={() => start(t.enable, change({ enabled: true }))}>{t.enable}</Button>
      <Button onClick={() => sure(t.sureDisable(n), t.disable, () => start(t.disable, change({ enabled: false })))}>{t.disable}</Button>
      <Button onClick={() => setTagging(true)}>{t.changeTags}</Button>
      <Tooltip title={!product ? t.oneProduct : n > mostUpgrades ? t.tooMany(mostUpgrades) : ''}>
        <Button disabled={!product || n > mostUpgrades} onClick={() => void upgrade().catch((e: Error) => message.error(problemText(e)))}>{t.upgrade}</Button>
      </Tooltip>
      <Button danger onClick={() => sure(t.sureDelete(n), t.delete, () => start(t.delete, async (devices) => (await must(api.POST('/api/v1/devices/delete', { body: { devices } }))).changed))}>
        {t.delete}
      </Button>
      <Button type="text" onClick={clear}>{t.chooseNone}</Button>
      {run && (
        <Modal open title={run.title} closable={false} mask={{ closable: false }} footer={<Button onClick={() => run.stop.abort()}>{t.stop}</Button>}>
          <Progress percent={Math.floor((100 * run.done) / Math.max(1, run.of))} aria-label={run.title} />
          <Typography.Text type="secondary">{t.progress(run.done, run.of)}</Typography.Text>
        </Modal>
      )}
      {tagging && (
        <Tags
          n={n}
          product={product}
          close={() => setTagging(false)}
          save={(set, remove) => {
            setTagging(false)
            start(t.changeTags, change({ set, remove }))
          }}
        />
      )}
    </Flex>
  )
}

type Wanted = { set?: string[]; remove?: string[] }

// Tags asks which tags are set and which are taken away.
function Tags({ n, product, close, save }: { n: number; product: string | undefined; close: () => void; save: (set: Record<string, string>, remove: string[]) => void }) {
  const t = useTexts(devicesTexts)
  const [form] = Form.useForm<Wanted>()
  const tags = useTags(product)
  const wellFormed = (_: unknown, tags?: string[]) => ((tags ?? []).every((tag) => /^[^=\s]+(=.*)?$/.test(tag)) ? Promise.resolve() : Promise.reject(new Error(t.tagForm)))
  const finish = (w: Wanted) => {
    const set = Object.fromEntries((w.set ?? []).map((tag) => [tag.split('=', 1)[0]!, tag.includes('=') ? tag.slice(tag.indexOf('=') + 1) : '']))
    save(set, w.remove ?? [])
  }
  return (
    <Modal open title={t.tagsOf(n)} okText={t.saveTags} cancelText={t.cancel} onOk={() => form.submit()} onCancel={close}>
      <Form form={form} layout="vertical" onFinish={finish}>
        <Form.Item name="set" label={t.tagsSet} extra={t.tagForm} rules={[{ validator: wellFormed }]}>
          <Select mode="tags" tokenSeparators={[',', '\n']} placeholder="room=1" options={tags.map((tag) => ({ value: tag.text }))} />
        </Form.Item>
        <Form.Item name="remove" label={t.tagsRemove}>
          <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', '\n', ' ']} placeholder="room" />
        </Form.Item>
      </Form>
    </Modal>
  )
}
