import { Alert, Form, Radio, Segmented } from 'antd'
import { useTexts } from '../i18n/texts'
import { explained } from './explained'
import { ruleTexts } from './ruleTexts'

// ProductRules are the fields of what a product demands of its devices, when it
// is made and later: how exact it is, what its data are, what may be behind it.
export function ProductRules({ dialect, dataModelHelp }: { dialect: string; dataModelHelp?: string }) {
  const t = useTexts(ruleTexts)
  const open = Form.useWatch('strictness') === 'open'
  return (
    <>
      <Form.Item name="strictness" label={t.strictness}>
        <Radio.Group options={explained(t.strict, t.strictHelp)} style={{ display: 'flex', flexDirection: 'column' }} />
      </Form.Item>
      {open && <Alert type="error" showIcon title={t.openWarn} style={{ marginBottom: 24 }} />}
      <Form.Item name="dataModel" label={t.dataModel} extra={dataModelHelp} hidden={dialect !== 'onenet'}>
        <Segmented options={[{ value: 'thing', label: t.thing }, { value: 'streams', label: t.streams }]} />
      </Form.Item>
      {/* radios called nodeType would hide the form element's own member */}
      <Form.Item name="nodeType" label={t.nodeType}>
        <Radio.Group name="kind" options={[{ value: 'device', label: t.device }, { value: 'gateway', label: t.gateway }]} style={{ display: 'flex', flexDirection: 'column', gap: 4 }} />
      </Form.Item>
    </>
  )
}
