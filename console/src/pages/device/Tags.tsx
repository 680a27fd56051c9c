import { CloseOutlined, PlusOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Input, Tag, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { actionTexts } from './actionTexts'
import { keyOf, type Id } from './data'

const said = (name: string, value: string) => (value ? `${name}=${value}` : name)

// Tags are changed where they stand: a click writes one anew, the cross takes it
// away, plus adds one. Those that the device's SDK sent are only shown.
export function Tags({ id, device, able }: { id: Id; device: Schemas['Device']; able: boolean }) {
  const t = useTexts(actionTexts)
  const cache = useQueryClient()
  const [editing, setEditing] = useState<{ name: string; text: string } | null>(null) // name is '' for a new one
  const change = useMutation({
    mutationFn: (body: Schemas['ChangeTagsInputBody']) => must(api.PATCH('/api/v1/products/{product}/devices/{device}/tags', { params: { path: id }, body })),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: keyOf(id, 'device') })
      setEditing(null)
    },
    onError: useRefusal(),
  })
  const tags = Object.entries(device.tags ?? {})
  const system = Object.entries(device.systemTags ?? {})
  const keep = () => {
    const [name = '', ...rest] = (editing?.text ?? '').split('=')
    if (!editing || !name.trim()) return setEditing(null)
    change.mutate({ set: { [name.trim()]: rest.join('=').trim() }, ...(editing.name && editing.name !== name.trim() && { remove: [editing.name] }) })
  }
  const field = editing && (
    <Tooltip title={t.tagHelp} open>
      <Input
        key="field"
        size="small"
        autoFocus
        aria-label={t.tags}
        placeholder={t.tag}
        value={editing.text}
        disabled={change.isPending}
        onChange={(e) => setEditing({ ...editing, text: e.target.value })}
        onPressEnter={keep}
        onKeyDown={(e) => e.key === 'Escape' && setEditing(null)}
        style={{ width: 200 }}
      />
    </Tooltip>
  )
  if (!able && tags.length + system.length === 0) return null
  return (
    <Flex gap={6} wrap align="center">
      <Typography.Text type="secondary">{t.tags}</Typography.Text>
      {tags.map(([name, value]) =>
        editing && editing.name === name ? field : (
          <Tag key={name} style={{ marginInlineEnd: 0 }}>
            {able ? (
              <>
                <button type="button" className="plain" aria-label={t.changeTag(name)} onClick={() => setEditing({ name, text: said(name, value) })}>{said(name, value)}</button>{' '}
                <button type="button" className="plain" aria-label={t.removeTag(name)} onClick={() => change.mutate({ remove: [name] })}><CloseOutlined style={{ fontSize: 10 }} /></button>
              </>
            ) : said(name, value)}
          </Tag>
        ),
      )}
      {system.map(([name, value]) => <Tooltip key={name} title={t.system}><Tag variant="outlined" style={{ marginInlineEnd: 0, borderStyle: 'dashed' }}>{said(name, value)}</Tag></Tooltip>)}
      {editing?.name === '' ? field : able && <Button size="small" type="dashed" icon={<PlusOutlined aria-hidden />} onClick={() => setEditing({ name: '', text: '' })}>{t.addTag}</Button>}
    </Flex>
  )
}
