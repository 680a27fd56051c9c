import { ArrowDownOutlined, ArrowUpOutlined } from '@ant-design/icons'
import { Flex, Tag, Typography, theme } from 'antd'
import { useLanguage, useTexts } from '../../i18n/texts'
import { timelineTexts } from './texts'
import { type Entry, payloadText } from './useTimeline'

const colors: Record<string, string> = { connect: 'green', refuse: 'red', fault: 'red', disconnect: 'default', uplink: 'blue', downlink: 'purple', command: 'purple', reply: 'cyan', note: 'gold' }

// Row is one entry of the timeline.
export function Row({ entry: e, open }: { entry: Entry; open: () => void }) {
  const t = useTexts(timelineTexts)
  const { language } = useLanguage()
  const { token } = theme.useToken()
  const bad = e.kind === 'refuse' || e.kind === 'fault'
  const time = new Date(e.at)
  const said = (language === 'zh' ? e.sentenceZh : e.sentence) || payloadText(e)
  return (
    <>
      <button
        type="button"
        onClick={open}
        style={{
          display: 'block', width: '100%', textAlign: 'start', font: 'inherit', color: 'inherit', cursor: 'pointer', padding: '8px 12px',
          border: 0, borderInlineStart: `3px solid ${bad ? token.colorError : 'transparent'}`, borderBottom: `1px solid ${token.colorBorderSecondary}`, background: 'transparent',
        }}
      >
        <Flex gap={8} align="center" wrap>
          <time dateTime={e.at} title={new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'long' }).format(time)} className="mono" style={{ color: token.colorTextSecondary }}>
            {new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23' }).format(time)}
          </time>
          {e.direction === 'up' ? <ArrowUpOutlined title={t.up} /> : e.direction === 'down' ? <ArrowDownOutlined title={t.down} /> : <span style={{ width: 14 }} />}
          <Tag color={colors[e.kind] ?? 'default'}>{t.kinds[e.kind] ?? e.kind}</Tag>
          {e.code && <Typography.Text code {...(bad && { type: 'danger' as const })}>{e.code}</Typography.Text>}
          {e.topic && <span className="mono" style={{ overflowWrap: 'anywhere' }}>{e.topic}</span>}
          {!!e.size && <Typography.Text type="secondary">{t.bytes(e.size)}</Typography.Text>}
        </Flex>
        {said && (
          <div className={e.sentence ? undefined : 'mono'} style={{ marginTop: 2, overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: bad ? 'normal' : 'nowrap', overflowWrap: 'anywhere' }}>
            {said}
          </div>
        )}
      </button>
      {!!e.skipped && <Typography.Text type="secondary" style={{ padding: '2px 12px', display: 'block' }}>{t.skipped(e.skipped)}</Typography.Text>}
    </>
  )
}
