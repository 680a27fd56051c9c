import { ImportOutlined, PlusOutlined } from '@ant-design/icons'
import { Alert, App, Button, Empty, Flex, Input, Segmented, Typography } from 'antd'
import { useMemo, useState } from 'react'
import { useLanguage, useTexts } from '../../../i18n/texts'
import { FeatureDrawer } from './FeatureDrawer'
import { FeatureTable, type Doing } from './FeatureTable'
import { copyOf, moved } from './lists'
import { placeOf, troubledFeatures } from './problems'
import { samples } from './samples'
import { modelTexts } from './texts'
import { fresh, places, splitID, standings, withFeatures, type Feature, type Model, type Place, type Standing } from './types'

type Props = { model: Model; dialect: string; able: boolean; problem: string | undefined; change: (m: Model) => void; undo: () => void; bringIn: () => void }

// FormView is a model as tables and forms.
export function FormView({ model, dialect, able, problem, change, undo, bringIn }: Props) {
  const t = useTexts(modelTexts)
  const { message } = App.useApp()
  const [shown, setShown] = useState<Place | 'all'>('all')
  const [text, setText] = useState('')
  const [edited, setEdited] = useState<{ place: Place; index: number | undefined; feature: Feature }>()
  const all = useMemo(() => standings(model), [model])
  const troubles = useMemo(() => troubledFeatures(model, dialect), [model, dialect])
  const rows = all.filter((s) => (shown === 'all' || s.place === shown) && `${s.feature.id} ${s.feature.name}`.toLowerCase().includes(text.toLowerCase()))
  const modules = [...new Set(all.map((s) => splitID(s.feature.id)[0]))].sort()
  const at = placeOf(problem)

  // The neighbour that a feature changes places with: of its kind and module.
  const neighbour = (s: Standing, step: number) => {
    const list = model[s.place]
    for (let i = s.index + step; i >= 0 && i < list.length; i += step) if (splitID(list[i]?.id ?? '')[0] === splitID(s.feature.id)[0]) return i
    return undefined
  }
  const act = (what: Doing, s: Standing) => {
    const list = model[s.place] as Feature[]
    if (what === 'duplicate') return change(withFeatures(model, s.place, list.toSpliced(s.index + 1, 0, copyOf(s.feature, list))))
    if (what !== 'remove') return change(withFeatures(model, s.place, moved(list, s.index, neighbour(s, what === 'up' ? -1 : 1) ?? s.index)))
    change(withFeatures(model, s.place, list.toSpliced(s.index, 1)))
    const key = `removed ${s.feature.id}`
    message.open({ key, content: <>{t.removed(s.feature.id)} <Button type="link" size="small" onClick={() => { undo(); message.destroy(key) }}>{t.undo}</Button></> })
  }
  const can = (what: Doing, s: Standing) => (what === 'up' ? neighbour(s, -1) !== undefined : what === 'down' ? neighbour(s, 1) !== undefined : true)
  const apply = (f: Feature) => {
    if (!edited) return
    const list = model[edited.place] as Feature[]
    change(withFeatures(model, edited.place, edited.index === undefined ? [...list, f] : list.toSpliced(edited.index, 1, f)))
    setEdited(undefined)
  }
  const add = (primary: boolean) => places.map((place) => (
    <Button key={place} {...(primary && place === 'properties' ? { type: 'primary' as const } : {})} icon={<PlusOutlined />} onClick={() => setEdited({ place, index: undefined, feature: fresh(place) })}>
      {t.newOf[place]}
    </Button>
  ))
  const wrong = at && all.find((s) => s.place === at.place && s.index === at.index)
  return (
    <Flex vertical gap={12}>
      {problem && <Alert type="error" showIcon title={problem} action={wrong && <Button size="small" onClick={() => setEdited(wrong)}>{t.show}</Button>} />}
      {all.length === 0 ? (
        <Blank able={able} add={add(true)} take={change} bringIn={bringIn} />
      ) : (
        <>
          <Flex gap={8} wrap align="center">
            <Segmented
              aria-label={t.view}
              value={shown}
              onChange={setShown}
              options={[{ value: 'all' as const, label: `${t.all} ${all.length}` }, ...places.map((value) => ({ value, label: `${t[value]} ${model[value].length}` }))]}
            />
            <Input allowClear aria-label={t.search} placeholder={t.search} value={text} onChange={(e) => setText(e.target.value)} style={{ flex: '1 1 180px', maxWidth: 280 }} />
            {able && add(false)}
          </Flex>
          {(modules.length > 1 ? modules : [undefined]).map((module) => (
            <div key={module ?? ''}>
              {module !== undefined && <Typography.Title level={5} style={{ marginTop: 4 }}>{module === '' ? t.defaultModule : <>{t.module} <span className="mono">{module}</span></>}</Typography.Title>}
              <FeatureTable rows={rows.filter((s) => module === undefined || splitID(s.feature.id)[0] === module)} dialect={dialect} able={able} troubles={troubles} edit={setEdited} act={act} can={can} />
            </div>
          ))}
        </>
      )}
      {edited && (
        <FeatureDrawer
          key={`${edited.place} ${edited.index ?? 'new'}`}
          {...edited}
          model={model}
          dialect={dialect}
          readOnly={!able}
          problem={at && at.place === edited.place && at.index === edited.index ? problem : undefined}
          apply={apply}
          close={() => setEdited(undefined)}
        />
      )}
    </Flex>
  )
}

// Blank is what stands there before there is a model: three ways to begin.
function Blank({ able, add, take, bringIn }: { able: boolean; add: React.ReactNode; take: (m: Model) => void; bringIn: () => void }) {
  const t = useTexts(modelTexts)
  const { language } = useLanguage()
  return (
    <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<><Typography.Paragraph strong>{t.emptyTitle}</Typography.Paragraph><Typography.Paragraph type="secondary" style={{ maxWidth: 460, margin: '0 auto' }}>{t.emptyHelp}</Typography.Paragraph></>}>
      {able && (
        <Flex vertical gap={16} align="center">
          <Flex gap={8} wrap justify="center">{add}<Button icon={<ImportOutlined />} onClick={bringIn}>{t.import}</Button></Flex>
          <Flex gap={8} wrap justify="center" align="center">
            <Typography.Text type="secondary">{t.startWith}</Typography.Text>
            {samples(language).map((s) => <Button key={s.key} size="small" onClick={() => take(s.model)}>{t.samples[s.key]}</Button>)}
          </Flex>
        </Flex>
      )}
    </Empty>
  )
}
