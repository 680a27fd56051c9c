import { Progress, Tag, theme } from 'antd'
import { useTexts } from '../../i18n/texts'
import { upgradeTexts } from './texts'

const colors: Record<string, string> = {
  SUCCEEDED: 'green', COMPLETED: 'green', FAILED: 'red', TIMED_OUT: 'red', IN_PROGRESS: 'blue', NOTIFIED: 'cyan', CONFIRM: 'orange',
}

export function State({ state }: { state: string }) {
  const t = useTexts(upgradeTexts)
  return <Tag color={colors[state] ?? 'default'}>{t.states[state] ?? state}</Tag>
}

// Bar is how many devices of a job are through, and how many of those well.
export function Bar({ states }: { states: Record<string, number> }) {
  const t = useTexts(upgradeTexts)
  const { token } = theme.useToken()
  const at = (...names: string[]) => names.reduce((n, name) => n + (states[name] ?? 0), 0)
  const all = Object.values(states).reduce((n, m) => n + m, 0)
  const good = at('SUCCEEDED')
  const bad = at('FAILED', 'TIMED_OUT', 'CANCELED')
  const share = (n: number) => (all === 0 ? 0 : (n / all) * 100)
  return (
    <Progress
      percent={share(good + bad)}
      success={{ percent: share(good), strokeColor: token.colorSuccess }}
      strokeColor={token.colorError}
      format={() => t.of(good, all)}
      style={{ minWidth: 180 }}
    />
  )
}
