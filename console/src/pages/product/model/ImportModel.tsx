import { UploadOutlined } from '@ant-design/icons'
import { Alert, Button, Flex, Form, Input, Modal, Radio, Skeleton, Typography, Upload } from 'antd'
import { useState } from 'react'
import { useLanguage, useTexts } from '../../../i18n/texts'
import { readText } from '../../../parts/readText'
import { Refused } from '../../../parts/Refused'
import { Lost } from './Lost'
import { useCheck } from './models'
import { readModel, writeModel } from './read'
import { samples } from './samples'
import { modelTexts } from './texts'
import { places, type Feature, type Model } from './types'

// merged is a model with the features of another; the same identifier means the
// same feature.
function merged(into: Model, from: Model): Model {
  const both = (a: Feature[], b: Feature[]) => [...a.map((f) => b.find((other) => other.id === f.id) ?? f), ...b.filter((f) => !a.some((other) => other.id === f.id))]
  return Object.fromEntries(places.map((place) => [place, both(into[place], from[place])])) as unknown as Model
}

// What the API takes as a model, in bytes.
const mostBytes = 4 << 20

type Props = { product: string; present: Model; take: (m: Model) => void; close: () => void }

// ImportModel reads a model in any form, shows what became of it, and takes it
// into the editor.
export function ImportModel({ product, present, take, close }: Props) {
  const t = useTexts(modelTexts)
  const { language } = useLanguage()
  const [text, setText] = useState('')
  const [wrong, setWrong] = useState<string>()
  const [how, setHow] = useState<'replace' | 'merge'>('replace')
  const check = useCheck(product, text)
  const model = readModel(check.data?.model)
  const filled = places.some((place) => present[place].length > 0)
  const choose = async (f: File) => {
    const read = f.size > mostBytes ? undefined : await readText(f)
    setWrong(read === undefined ? (f.size > mostBytes ? t.fileBig : t.fileNoText) : undefined)
    setText(read ?? '')
  }
  const done = () => {
    if (!model) return
    take(how === 'merge' ? merged(present, model) : model)
    close()
  }
  return (
    <Modal open width={680} title={t.import} okText={t.take} cancelText={t.cancel} okButtonProps={{ disabled: !model }} onOk={done} onCancel={close}>
      <Flex vertical gap={12}>
        <Typography.Text type="secondary">{t.importHow}</Typography.Text>
        <Flex gap={8} wrap align="center">
          <Upload accept=".json,application/json" showUploadList={false} beforeUpload={(f) => { void choose(f); return false }}>
            <Button icon={<UploadOutlined />}>{t.file}</Button>
          </Upload>
          <Typography.Text type="secondary">{t.startWith}</Typography.Text>
          {samples(language).map((s) => <Button key={s.key} size="small" onClick={() => setText(writeModel(s.model))}>{t.samples[s.key]}</Button>)}
        </Flex>
        <Input.TextArea className="mono" aria-label={t.paste} placeholder={'{"properties": …}'} spellCheck={false} value={text} onChange={(e) => { setWrong(undefined); setText(e.target.value) }} rows={8} />
        {text.trim() !== '' && !check.settled && <Skeleton active title={false} paragraph={{ rows: 2 }} />}
        {wrong && <Alert type="error" showIcon title={wrong} />}
        {check.mistake && <Alert type="error" showIcon title={t.noJSON(check.mistake.line)} />}
        <Refused error={check.error} />
        {check.data && model && (
          <>
            <Alert type="info" showIcon title={t.readAs(t.forms[check.data.format] ?? check.data.format, model.properties.length, model.events.length, model.services.length)} />
            {check.data.problem && <Alert type="error" showIcon title={check.data.problem} />}
            <Lost lost={check.data.lost} />
            {filled && (
              <Form.Item layout="vertical" label={t.how} extra={how === 'merge' && t.mergeHelp} style={{ margin: 0 }}>
                <Radio.Group aria-label={t.how} value={how} onChange={(e) => setHow(e.target.value as typeof how)} options={(['replace', 'merge'] as const).map((value) => ({ value, label: t[value] }))} />
              </Form.Item>
            )}
          </>
        )}
      </Flex>
    </Modal>
  )
}
