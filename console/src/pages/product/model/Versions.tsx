import { Button, Card, Flex, Select, Tag, Typography } from 'antd'
import { useMemo, useState } from 'react'
import type { Schemas } from '../../../api/client'
import { useTexts } from '../../../i18n/texts'
import { When } from '../../../parts/When'
import { productTexts } from '../texts'
import { difference } from './difference'
import { readModel } from './read'
import { modelTexts } from './texts'
import { empty, type Model } from './types'

// A long list is not shown whole at once: it would be written anew at each key.
const most = 50

const colours = { added: 'green', removed: 'red', changed: 'gold' }

// Changes are what differs between the model in the editor and a version that
// was published, the newest unless somebody chooses another.
export function Changes({ model, versions }: { model: Model; versions: Schemas['ModelView'][] }) {
  const p = useTexts(productTexts)
  const t = useTexts(modelTexts)
  const [chosen, setChosen] = useState<number>()
  const version = versions.find((v) => v.version === chosen) ?? versions[0]
  const changes = useMemo(() => difference(readModel(version?.model) ?? empty, model), [version, model])
  const [all, setAll] = useState(false)
  return (
    <Card
      size="small"
      title={
        <Flex gap={8} align="center" wrap style={{ paddingBlock: 4, fontWeight: 'normal' }}>
          <strong>{t.against}</strong>
          <Select
            size="small"
            aria-label={t.against}
            style={{ minWidth: 140 }}
            disabled={versions.length === 0}
            value={version?.version ?? 0}
            onChange={setChosen}
            options={versions.length === 0 ? [{ value: 0, label: t.noVersion }] : versions.map((v, i) => ({ value: v.version, label: i === 0 ? t.latest(v.version) : t.version(v.version) }))}
          />
        </Flex>
      }
    >
      {changes.length === 0 && <Typography.Text type="secondary">{p.same}</Typography.Text>}
      {(all ? changes : changes.slice(0, most)).map((c) => (
        <div key={`${c.place}.${c.id}`} style={{ overflowWrap: 'anywhere' }}>
          <Tag color={colours[c.what]}>{p[c.what]}</Tag> {t[c.place]} <span className="mono">{c.id}</span>
          {c.details.map((d) => (
            <div key={d.path} className="mono" style={{ fontSize: 12, paddingInlineStart: 16 }}>
              {d.path}: {d.was || '—'} → {d.became || '—'}
            </div>
          ))}
        </div>
      ))}
      {!all && changes.length > most && <Button size="small" onClick={() => setAll(true)} style={{ marginTop: 8 }}>{t.allChanges(changes.length)}</Button>}
    </Card>
  )
}

// Versions are those that were published and can be taken up again.
export function Versions({ versions, able, take }: { versions: Schemas['ModelView'][]; able: boolean; take: (v: Schemas['ModelView']) => void }) {
  const p = useTexts(productTexts)
  const t = useTexts(modelTexts)
  return (
    <Card size="small" title={p.versions}>
      {versions.length === 0 && <Typography.Text type="secondary">{t.first}</Typography.Text>}
      {versions.map((v) => (
        <Flex key={v.version} justify="space-between" align="center" gap={8}>
          <span>v{v.version} · <When at={v.at} /></span>
          {able && <Button type="link" size="small" aria-label={`${p.load} v${v.version}`} onClick={() => take(v)}>{p.load}</Button>}
        </Flex>
      ))}
    </Card>
  )
}
