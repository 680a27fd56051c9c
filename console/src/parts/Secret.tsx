import { EyeInvisibleOutlined, EyeOutlined } from '@ant-design/icons'
import { useMutation } from '@tanstack/react-query'
import { Button, Flex, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { texts, useTexts } from '../i18n/texts'
import { problemText } from './problem'

const secretTexts = texts(
  { show: 'Show', hide: 'Hide', role: 'Needs the role of operator' },
  { show: '显示', hide: '隐藏', role: '需要操作员权限' },
)

// Secret is hidden until somebody asks to see it, and asked for only then.
export function Secret({ name, load, allowed }: { name: string; load: () => Promise<string>; allowed: boolean }) {
  const t = useTexts(secretTexts)
  const [open, setOpen] = useState(false)
  const asked = useMutation({ mutationFn: load, onSuccess: () => setOpen(true), gcTime: 0 })
  const label = `${open ? t.hide : t.show} ${name}`
  return (
    <Flex gap={4} align="center" style={{ minWidth: 0 }}>
      {open ? <Typography.Text className="mono" copyable style={{ overflowWrap: 'anywhere' }}>{asked.data}</Typography.Text> : <span aria-hidden>••••••••</span>}
      <Tooltip title={allowed ? undefined : t.role}>
        <Button
          type="text"
          size="small"
          aria-label={label}
          disabled={!allowed}
          loading={asked.isPending}
          icon={open ? <EyeInvisibleOutlined /> : <EyeOutlined />}
          onClick={() => (open ? setOpen(false) : asked.mutate())}
        />
      </Tooltip>
      {asked.error && <Typography.Text type="danger">{problemText(asked.error)}</Typography.Text>}
    </Flex>
  )
}
