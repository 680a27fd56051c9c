import { Tag } from 'antd'
import { texts, useTexts } from '../i18n/texts'

const stateTexts = texts(
  { ONLINE: 'Online', OFFLINE: 'Offline', INACTIVE: 'Never connected', DISABLED: 'Disabled' },
  { ONLINE: '在线', OFFLINE: '离线', INACTIVE: '未激活', DISABLED: '已禁用' },
)

export const deviceStates = ['ONLINE', 'OFFLINE', 'INACTIVE', 'DISABLED'] as const

const colors: Record<string, string> = { ONLINE: 'success', OFFLINE: 'default', INACTIVE: 'processing', DISABLED: 'error' }

// useStateName says a device's state in words.
export function useStateName() {
  const t = useTexts(stateTexts)
  return (state: string) => t[state as keyof typeof t] ?? state
}

// DeviceState shows in which state a device is.
export function DeviceState({ state }: { state: string }) {
  return (
    <Tag color={colors[state] ?? 'default'} style={{ marginInlineEnd: 0 }}>
      {useStateName()(state)}
    </Tag>
  )
}
