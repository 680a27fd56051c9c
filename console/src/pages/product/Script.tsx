import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Col, Flex, Form, Input, Row, Typography } from 'antd'
import { useState } from 'react'
import { api, must, Problem } from '../../api/client'
import { may, useMe } from '../../app/session'
import { useLanguage, useTexts } from '../../i18n/texts'
import { Refused } from '../../parts/Refused'
import { productTexts } from './texts'

const first = `function rawDataToProtocol(bytes) {
  return { method: 'thing.event.property.post', id: '1', version: '1.0', params: {} }
}

function protocolToRawData(json) {
  return []
}
`

// Script is the parsing script, with a bench that runs what stands in the
// editor and stores nothing.
export function Script({ product }: { product: string }) {
  const t = useTexts(productTexts)
  const zh = useLanguage().language === 'zh'
  const able = may(useMe(), 'operator')
  const cache = useQueryClient()
  const path = { product }
  const kept = useQuery({
    queryKey: ['products', product, 'script'],
    queryFn: async () => {
      try {
        return (await must(api.GET('/api/v1/products/{product}/script', { params: { path } }))).source ?? ''
      } catch (e) {
        if (e instanceof Problem && e.status === 404) return first
        throw e
      }
    },
  })
  const [edited, setEdited] = useState<string>()
  const source = edited ?? kept.data ?? ''
  const [hex, setHex] = useState('AA 01 1F')
  const digits = hex.replace(/\s+/g, '')
  const good = /^([0-9a-fA-F]{2})*$/.test(digits)
  const save = useMutation({
    mutationFn: () => must(api.PUT('/api/v1/products/{product}/script', { params: { path }, body: { source } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: ['products', product, 'script'] }),
  })
  const run = useMutation({
    mutationFn: () => must(api.POST('/api/v1/products/{product}/script/test', { params: { path }, body: { source, base64: btoa((digits.match(/../g) ?? []).map((d) => String.fromCharCode(parseInt(d, 16))).join('')) } })),
  })
  const r = run.data
  return (
    <Row gutter={[16, 16]}>
      <Col xs={24} lg={14}>
        <Flex vertical gap={8}>
          <Input.TextArea className="mono" aria-label={t.source} spellCheck={false} value={source} onChange={(e) => setEdited(e.target.value)} autoSize={{ minRows: 18, maxRows: 32 }} />
          <Button type="primary" disabled={!able} title={able ? undefined : t.role} loading={save.isPending} onClick={() => save.mutate()} style={{ alignSelf: 'start' }}>
            {t.save}
          </Button>
          <Refused error={kept.error ?? save.error} />
          {save.isSuccess && <Typography.Text type="success">{t.saved}</Typography.Text>}
        </Flex>
      </Col>
      <Col xs={24} lg={10}>
        <Typography.Title level={5} style={{ marginTop: 0 }}>{t.bench}</Typography.Title>
        <Form.Item label={t.hex} layout="vertical" validateStatus={good ? '' : 'error'} help={good ? '' : t.badHex}>
          <Input.TextArea className="mono" aria-label={t.hex} value={hex} onChange={(e) => setHex(e.target.value)} autoSize={{ minRows: 2 }} />
        </Form.Item>
        <Flex vertical gap={8}>
          <Button disabled={!able || !good} loading={run.isPending} onClick={() => run.mutate()} style={{ alignSelf: 'start' }}>{t.run}</Button>
          <Refused error={run.error} />
          {r?.error && <Alert type="error" showIcon title={zh ? r.error.sentenceZh : r.error.sentence} description={zh ? r.error.adviceZh : r.error.advice} />}
          {r?.ok && <pre className="mono" aria-label={t.result} style={{ whiteSpace: 'pre-wrap', margin: 0 }}>{JSON.stringify(r.message, null, 2)}</pre>}
          {r?.log?.map((line, i) => <code key={i}>{line}</code>)}
        </Flex>
      </Col>
    </Row>
  )
}
