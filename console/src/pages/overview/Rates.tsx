import { Col, Row, Statistic, Typography, theme } from 'antd'
import { useTexts } from '../../i18n/texts'
import { overviewTexts } from './texts'
import { kept, type Rates as Found } from './useRates'

const [width, height] = [300, 64]

// So many looks make the number: devices that report every few seconds would
// have it jump.
const looks = 5

// Rates are messages a second now, and how they went while the page was open.
export function Rates({ rates }: { rates: Found[] }) {
  const t = useTexts(overviewTexts)
  const { token } = theme.useToken()
  const last = rates.slice(-looks)
  if (last.length === 0) return <Typography.Text type="secondary">{t.gathering}</Typography.Text>
  const most = Math.max(1, ...rates.flatMap((r) => [r.in, r.out]))
  const line = (of: 'in' | 'out') => rates.map((r, i) => `${(width * (kept - rates.length + i)) / (kept - 1)},${2 + (height - 4) * (1 - r[of] / most)}`).join(' ')
  const one = (of: 'in' | 'out', colour: string) => (
    <Col span={12}>
      <Statistic title={<><span aria-hidden style={{ color: colour }}>●</span> {t[of]}</>} value={(last.reduce((n, r) => n + r[of], 0) / last.length).toFixed(1)} suffix={t.perSecond} />
    </Col>
  )
  const [inward, outward] = [token.colorPrimary, token.colorWarning]
  return (
    <>
      <Row>
        {one('in', inward)}
        {one('out', outward)}
      </Row>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={t.course} style={{ width: '100%', height, marginTop: 12, display: 'block', borderBottom: `1px solid ${token.colorBorderSecondary}` }}>
        <polyline points={line('out')} fill="none" stroke={outward} strokeWidth={1.5} vectorEffect="non-scaling-stroke" />
        <polyline points={line('in')} fill="none" stroke={inward} strokeWidth={1.5} vectorEffect="non-scaling-stroke" />
      </svg>
      <Typography.Text type="secondary" style={{ fontSize: 12 }}>{t.course}</Typography.Text>
    </>
  )
}
