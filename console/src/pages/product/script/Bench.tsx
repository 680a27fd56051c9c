import { Button, Card, Flex, Form, Input, Select, Tooltip, Typography } from 'antd'
import { useTexts } from '../../../i18n/texts'
import { spacedHex } from '../../../parts/bytes'
import { Refused } from '../../../parts/Refused'
import { Outcome } from './Outcome'
import { Samples } from './Samples'
import { scriptTexts } from './texts'
import { functions, type Trial } from './trial'

type Props = { product: string; source: string; able: boolean; trial: Trial }

// Bench runs the functions of what stands in the editor.
export function Bench({ product, source, able, trial: x }: Props) {
  const t = useTexts(scriptTexts)
  const encode = x.which === 'protocolToRawData'
  const badHex = !encode && x.bytes === undefined
  const badJSON = encode && x.json === undefined
  return (
    <Card size="small" title={t.bench}>
      <Typography.Paragraph type="secondary">{t.benchHelp}</Typography.Paragraph>
      <Form layout="vertical" onFinish={() => x.run.mutate(source)}>
        <Form.Item label={t.function} htmlFor="function" extra={t.functions[x.which]}>
          <Select id="function" value={x.which} onChange={x.choose} options={functions.map((value) => ({ value, label: value }))} className="mono" />
        </Form.Item>
        {x.which === 'transformPayload' && (
          <Form.Item label={t.topic} htmlFor="topic">
            <Input id="topic" className="mono" value={x.topic} onChange={(e) => x.setTopic(e.target.value)} />
          </Form.Item>
        )}
        {encode ? (
          <Form.Item label={t.message} htmlFor="message" validateStatus={badJSON ? 'error' : ''} help={badJSON ? t.badJson : undefined}>
            <Input.TextArea id="message" className="mono" value={x.message} onChange={(e) => x.setMessage(e.target.value)} autoSize={{ minRows: 4, maxRows: 12 }} spellCheck={false} />
          </Form.Item>
        ) : (
          <Form.Item label={t.hex} htmlFor="hex" validateStatus={badHex ? 'error' : ''} help={badHex ? t.badHex : t.bytes(x.bytes?.length ?? 0)}>
            <Input.TextArea id="hex" className="mono" value={x.hex} onChange={(e) => x.setHex(e.target.value)} autoSize={{ minRows: 2, maxRows: 8 }} spellCheck={false} />
          </Form.Item>
        )}
        <Tooltip title={able ? undefined : t.role}>
          <Button type="primary" htmlType="submit" disabled={!able || !x.ready} loading={x.run.isPending}>{t.run}</Button>
        </Tooltip>
      </Form>
      <Flex vertical gap={16} style={{ marginTop: 16 }}>
        <Refused error={x.run.error} />
        {x.run.data && <Outcome of={x.run.data} />}
        {!encode && (
          <Samples
            product={product}
            take={(bytes, topic) => {
              x.setHex(spacedHex(bytes))
              if (topic) x.setTopic(topic)
            }}
          />
        )}
      </Flex>
    </Card>
  )
}
