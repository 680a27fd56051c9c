import { CheckOutlined, CloseOutlined, EditOutlined } from '@ant-design/icons'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Flex, Input, Typography } from 'antd'
import { useState } from 'react'
import { api, must, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { useRefusal } from '../../parts/refusal'
import { actionTexts } from './actionTexts'
import { keyOf, type Id } from './data'

// Nickname is how people call the device, changed where it stands.
export function Nickname({ id, device, able }: { id: Id; device: Schemas['Device']; able: boolean }) {
  const t = useTexts(actionTexts)
  const cache = useQueryClient()
  const [text, setText] = useState<string>()
  const save = useMutation({
    mutationFn: (nickname: string) => must(api.PATCH('/api/v1/products/{product}/devices/{device}', { params: { path: id }, body: { nickname } })),
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: keyOf(id, 'device') })
      setText(undefined)
    },
    onError: useRefusal(),
  })
  if (text === undefined) {
    return (
      <Flex align="center" gap={4} style={{ minWidth: 0 }}>
        <Typography.Title level={2} style={{ margin: 0, wordBreak: 'break-all' }}>{device.nickname || device.name}</Typography.Title>
        {able && <Button type="text" icon={<EditOutlined />} aria-label={t.rename} title={t.rename} onClick={() => setText(device.nickname ?? '')} />}
      </Flex>
    )
  }
  const long = new TextEncoder().encode(text).length > 256
  return (
    <Flex align="center" gap={4} component="form" onSubmit={(e: React.FormEvent) => { e.preventDefault(); if (!long) save.mutate(text.trim()) }}>
      <Input
        autoFocus
        aria-label={t.nickname}
        placeholder={device.name}
        value={text}
        {...(long && { status: 'error' as const, title: t.tooLong })}
        onChange={(e) => setText(e.target.value)}
        onKeyDown={(e) => e.key === 'Escape' && setText(undefined)}
        style={{ width: 'min(320px, 60vw)' }}
      />
      <Button htmlType="submit" type="text" icon={<CheckOutlined />} aria-label={t.save} disabled={long} loading={save.isPending} />
      <Button type="text" icon={<CloseOutlined />} aria-label={t.cancel} onClick={() => setText(undefined)} />
      {long && <Typography.Text type="danger">{t.tooLong}</Typography.Text>}
    </Flex>
  )
}
