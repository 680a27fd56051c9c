import './bench.css'
import { Alert, Badge, Card, Flex, Skeleton, Typography } from 'antd'
import { lazy, Suspense, type ReactNode } from 'react'
import { useTexts } from '../../i18n/texts'
import { Lessons } from './Lessons'
import type { Lesson } from './lessons'
import type { Line } from './line'
import { benchTexts } from './texts'

const Terminal = lazy(() => import('./Terminal'))

// Desk is a terminal with a lesson beside it, and what belongs to the line
// below.
export function Desk({ line, module, real, title, extra, below }: {
  line: Line; module: Lesson['module']; real: boolean; title: ReactNode; extra?: ReactNode; below?: ReactNode
}) {
  const t = useTexts(benchTexts)
  const said = { open: t.connected, opening: t.connecting, closed: t.disconnected }[line.state]
  return (
    <div className="bench-desk">
      <div className="line">
        <Card
          size="small"
          title={
            <Flex gap={12} align="center" wrap>
              {title}
              <Badge status={line.state === 'open' ? 'success' : line.state === 'opening' ? 'processing' : 'default'}
                text={<Typography.Text type="secondary" style={{ fontWeight: 'normal' }}>{said}</Typography.Text>} />
            </Flex>
          }
          extra={extra}
          styles={{ body: { padding: 8 } }}
        >
          {line.why && <Alert type="warning" showIcon title={line.why} style={{ marginBottom: 8 }} />}
          <Suspense fallback={<Skeleton.Node active style={{ width: '100%', height: 420 }} />}>
            <Terminal line={line} label={t.terminal} />
          </Suspense>
          <Typography.Text type="secondary" style={{ display: 'block', fontSize: 12, padding: '6px 4px 0' }}>{t.typeHere}</Typography.Text>
        </Card>
      </div>
      <div className="lesson">
        <Lessons key={module} line={line} module={module} real={real} />
      </div>
      {below && <div className="below">{below}</div>}
    </div>
  )
}
