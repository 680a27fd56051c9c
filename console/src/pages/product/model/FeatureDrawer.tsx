import { Alert, App, AutoComplete, Button, Checkbox, Drawer, Flex, Form, Grid, Input, Radio, Typography } from 'antd'
import { useMemo, useState } from 'react'
import { useTexts } from '../../../i18n/texts'
import { Field, Fields, Troubles } from './Field'
import { ParamList } from './ParamList'
import { isSerious, troublesOf } from './problems'
import { TypeFields } from './TypeFields'
import { modelTexts } from './texts'
import { accesses, joinID, levels, splitID, standings, type Event, type Feature, type Model, type Place, type Property, type Service } from './types'

type Props = {
  place: Place
  index: number | undefined // of the feature that is edited; undefined of a new one
  feature: Feature
  model: Model
  dialect: string
  readOnly: boolean
  problem: string | undefined // the server's, of this feature
  apply: (f: Feature) => void
  close: () => void
}

// FeatureDrawer is one property, event or service in all its parts.
export function FeatureDrawer({ place, index, feature, model, dialect, readOnly, problem, apply, close }: Props) {
  const t = useTexts(modelTexts)
  const { modal } = App.useApp()
  const wide = Grid.useBreakpoint().md ?? true
  const [f, setF] = useState(feature)
  const [tried, setTried] = useState(false)
  const taken = useMemo(() => model[place].filter((_, i) => i !== index).map((other) => other.id), [model, place, index])
  const list = useMemo(() => troublesOf(place, f, taken, dialect), [place, f, taken, dialect])
  const bad = list.filter(isSerious).length
  const set = (part: Partial<Property & Event & Service>) => setF((was) => ({ ...was, ...part }) as Feature)
  const changed = JSON.stringify(f) !== JSON.stringify(feature)
  const leave = () => (changed && !readOnly ? modal.confirm({ title: t.discardTitle, okText: t.discard, cancelText: t.stay, onOk: close }) : close())
  const done = () => {
    setTried(true)
    if (bad === 0) apply(f)
    else requestAnimationFrame(() => document.querySelector<HTMLElement>('.feature-form [aria-invalid="true"]')?.focus())
  }
  return (
    <Drawer
      open
      size={wide ? 620 : '100%'}
      title={index === undefined ? t.newOf[place] : `${t.editOf[place]} ${feature.id}`}
      onClose={leave}
      footer={
        <Flex justify="end" align="center" gap={8} wrap>
          {tried && bad > 0 && <Typography.Text type="danger" role="alert">{t.mend(bad)}</Typography.Text>}
          <Button onClick={leave}>{readOnly ? t.close : t.cancel}</Button>
          {!readOnly && <Button type="primary" onClick={done}>{index === undefined ? t.add : t.apply}</Button>}
        </Flex>
      }
    >
      {problem && <Alert type="error" showIcon title={problem} style={{ marginBottom: 12 }} />}
      <Troubles.Provider value={{ list, tried, readOnly }}>
        <Form layout="vertical" className="feature-form" disabled={readOnly} requiredMark={false} onSubmitCapture={done}>
          <Names f={f} set={set} model={model} dialect={dialect} isNew={index === undefined} />
          {'access' in f && (
            <>
              <Choice label={t.access} value={f.access} options={accesses.map((value) => ({ value, label: t.accesses[value] }))} choose={(access) => set({ access })} />
              <TypeFields at="type" type={f.type} change={(type) => set({ type })} dialect={dialect} />
            </>
          )}
          {'level' in f && <Choice label={t.level} value={f.level} options={levels.map((value) => ({ value, label: t.levels[value] }))} choose={(level) => set({ level })} />}
          {'async' in f && (
            <Choice label={t.call} value={f.async ? 'async' : 'sync'} options={(['async', 'sync'] as const).map((value) => ({ value, label: t[value] }))} choose={(how) => set({ async: how === 'async' })} help={t.callHelp[f.async ? 'async' : 'sync']} />
          )}
          {'input' in f && <ParamList at="input" label={t.input} add={t.addParam} params={f.input} change={(input) => set({ input })} dialect={dialect} />}
          {'output' in f && <ParamList at="output" label={t.output} add={t.addParam} params={f.output} change={(output) => set({ output })} dialect={dialect} />}
          <Form.Item extra={t.requiredHelp} style={{ marginBottom: 12 }}>
            <Checkbox checked={f.required} onChange={(e) => set({ required: e.target.checked })}>{t.required}</Checkbox>
          </Form.Item>
          <Field at="desc" label={t.desc}>
            <Input.TextArea rows={2} maxLength={500} value={f.desc ?? ''} onChange={(e) => set({ desc: e.target.value || undefined })} />
          </Field>
          <button type="submit" hidden />
        </Form>
      </Troubles.Provider>
    </Drawer>
  )
}

// Names are the identifier, with its module, and the name for people.
function Names({ f, set, model, dialect, isNew }: { f: Feature; set: (part: Partial<Property>) => void; model: Model; dialect: string; isNew: boolean }) {
  const t = useTexts(modelTexts)
  const [module, own] = splitID(f.id)
  const modules = [...new Set(standings(model).map((s) => splitID(s.feature.id)[0]).filter(Boolean))]
  return (
    <>
      <Fields>
        <Field at="id" label={t.id}>
          <Input className="mono" autoFocus={isNew} autoComplete="off" spellCheck={false} value={own} onChange={(e) => set({ id: joinID(module, e.target.value) })} />
        </Field>
        <Field at="name" label={t.name}>
          <Input value={f.name} maxLength={128} onChange={(e) => set({ name: e.target.value })} />
        </Field>
      </Fields>
      {(dialect !== 'onenet' || module !== '') && (
        <Field at="module" label={t.module} help={t.moduleHelp}>
          <AutoComplete className="mono" allowClear placeholder={t.defaultModule} value={module} options={modules.map((value) => ({ value }))} onChange={(v: string | undefined) => set({ id: joinID((v ?? '').replaceAll(':', ''), own) })} />
        </Field>
      )}
    </>
  )
}

function Choice<T extends string>({ label, value, options, choose, help }: { label: string; value: T; options: { value: T; label: string }[]; choose: (v: T) => void; help?: string }) {
  return (
    <Form.Item label={label} extra={help} style={{ marginBottom: 12 }}>
      <Radio.Group aria-label={label} optionType="button" buttonStyle="solid" value={value} options={options} onChange={(e) => choose(e.target.value as T)} />
    </Form.Item>
  )
}
