import { DownOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Dropdown, Tooltip } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { api, must, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { Ask } from '../../parts/Ask'
import { NewSecret } from '../../parts/NewSecret'
import { useRefusal } from '../../parts/refusal'
import { actionTexts } from './actionTexts'
import { keyOf, type Id } from './data'

const route = '/api/v1/products/{product}/devices/{device}'

// Actions are what an operator may do to a device itself, each with what comes
// of it said first.
export function Actions({ id, device, able }: { id: Id; device: Schemas['Device']; able: boolean }) {
  const t = useTexts(actionTexts)
  const { message } = App.useApp()
  const cache = useQueryClient()
  const go = useNavigate()
  const [asking, setAsking] = useState<'disable' | 'secret' | 'again' | 'remove' | null>(null)
  const params = { path: id }
  const fresh = () => cache.invalidateQueries({ queryKey: keyOf(id) })
  const done = (said: string) => async () => {
    await fresh()
    message.success(said)
    return null
  }
  const enabling = useMutation({
    mutationFn: () => must(api.PATCH(route, { params, body: { enabled: true } })),
    onSuccess: done(t.enabled),
    onError: useRefusal(),
  })
  const newSecret = async (body: { secret?: string }) => {
    const now = await must(api.POST(`${route}/secret`, { params, body }))
    void fresh()
    void cache.invalidateQueries({ queryKey: ['credentials', id] })
    return now.secret ?? ''
  }
  const remove = async () => {
    await api.DELETE(route, { params })
    message.success(t.gone(device.name))
    await go('/devices', { replace: true, flushSync: true }) // the page has gone before what it showed has
    cache.removeQueries({ queryKey: keyOf(id) })
    return null
  }
  const close = () => setAsking(null)
  const name = device.name
  return (
    <>
      <Tooltip title={able ? undefined : t.role}>
        <Dropdown
          trigger={['click']}
          disabled={!able}
          menu={{
            items: [
              device.enabled ? { key: 'disable', label: t.disable, onClick: () => setAsking('disable') } : { key: 'enable', label: t.enable, onClick: () => enabling.mutate() },
              { key: 'secret', label: t.newSecret, onClick: () => setAsking('secret') },
              { key: 'again', label: t.again, onClick: () => setAsking('again') },
              { type: 'divider' },
              { key: 'remove', danger: true, label: t.remove, onClick: () => setAsking('remove') },
            ],
          }}
        >
          <Button disabled={!able} loading={enabling.isPending} icon={<DownOutlined aria-hidden />} iconPlacement="end">{t.manage}</Button>
        </Dropdown>
      </Tooltip>
      {asking === 'disable' && (
        <Ask title={t.disableTitle(name)} consequences={t.disableWhat} action={t.disable} close={close} act={() => must(api.PATCH(route, { params, body: { enabled: false } })).then(done(t.disabled))} />
      )}
      {asking === 'secret' && <NewSecret title={t.secretTitle(name)} consequences={t.secretWhat} action={t.newSecret} done={t.secretDone} close={close} reset={newSecret} />}
      {asking === 'again' && <Ask title={t.againTitle(name)} consequences={t.againWhat} action={t.again} close={close} act={() => must(api.POST(`${route}/reset`, { params })).then(done(t.againDone))} />}
      {asking === 'remove' && <Ask title={t.removeTitle(name)} consequences={t.removeWhat} action={t.remove} word={name} close={close} act={remove} />}
    </>
  )
}
