import { DownloadOutlined } from '@ant-design/icons'
import { Button, Flex, Typography } from 'antd'
import { texts, useLanguage, useTexts } from '../../i18n/texts'
import type { Id } from './data'

const exportTexts = texts(
  {
    export: 'Export CSV',
    what: (n: string) => `${n} stored values of this range, as they were reported: time (UTC), property, value, record. The curve draws their averages.`,
    none: 'Nothing is stored in this range.',
    tooMany: (n: string, most: string) => `${n} stored values are more than the ${most} of one export: choose a shorter range or fewer properties.`,
  },
  {
    export: '导出 CSV',
    what: (n) => `导出该时段存储的 ${n} 条原始值：时间（UTC）、属性、值、记录号。曲线显示的是平均值。`,
    none: '该时段没有存储数据。',
    tooMany: (n, most) => `该时段有 ${n} 条数据，超过单次导出上限 ${most} 条，请缩短时间范围或减少属性。`,
  },
)

const most = 1_000_000

type Props = { id: Id; properties: string[]; span: { from: number; to?: number } | undefined; stored: number }

// Export saves the values of a range as they are stored, and says so.
export function Export({ id, properties, span, stored }: Props) {
  const t = useTexts(exportTexts)
  const { language } = useLanguage()
  const number = (n: number) => n.toLocaleString(language)
  const able = !!span && stored > 0 && stored <= most
  const query = new URLSearchParams([...properties.map((p) => ['property', p]), ...Object.entries(span ?? {}).map(([name, at]) => [name, new Date(at).toISOString()])])
  const address = `/api/v1/products/${encodeURIComponent(id.product)}/devices/${encodeURIComponent(id.device)}/properties.csv?${query}`
  return (
    <Flex gap={8} align="center" wrap>
      <Button icon={<DownloadOutlined aria-hidden />} disabled={!able} {...(able && { href: address, download: `${id.device}.csv` })}>{t.export}</Button>
      <Typography.Text type={stored > most ? 'danger' : 'secondary'} style={{ fontSize: 12 }}>
        {stored > most ? t.tooMany(number(stored), number(most)) : stored === 0 ? t.none : t.what(number(stored))}
      </Typography.Text>
    </Flex>
  )
}
