import { Alert, Flex, Typography } from 'antd'
import type { Schemas } from '../../../api/client'
import { useLanguage, useTexts } from '../../../i18n/texts'
import { base64Bytes, spacedHex } from '../../../parts/bytes'
import { scriptTexts } from './texts'

// Outcome is what a run of the script gave: a message, bytes, or what it did
// wrong, and what it wrote on its console.
export function Outcome({ of: r }: { of: Schemas['Trial'] }) {
  const t = useTexts(scriptTexts)
  const zh = useLanguage().language === 'zh'
  const bytes = r.ok && r.base64 !== undefined ? base64Bytes(r.base64) : undefined
  const box = { margin: 0, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', maxHeight: 320, overflow: 'auto', padding: 8, border: '1px solid rgba(128,128,128,.3)', borderRadius: 6 } as const
  return (
    <Flex vertical gap={8} aria-live="polite">
      {r.error ? (
        <Alert
          type="error"
          showIcon
          title={zh ? r.error.sentenceZh : r.error.sentence}
          description={<>{zh ? r.error.adviceZh : r.error.advice} · {t.code} {r.error.code} · <Typography.Text code>{r.error.kind}</Typography.Text></>}
        />
      ) : (
        <>
          <Typography.Text strong>{t.result}</Typography.Text>
          <pre className="mono" aria-label={t.result} tabIndex={0} style={box}>{bytes ? spacedHex(bytes) || '—' : JSON.stringify(r.message, null, 2)}</pre>
        </>
      )}
      <Typography.Text type="secondary">{!r.error && <>{t.good(r.function)} · </>}{bytes && <>{t.bytes(bytes.length)} · </>}{t.cpu(r.cpu)}</Typography.Text>
      <Typography.Text strong>{t.console}</Typography.Text>
      {r.log?.length ? <pre className="mono" aria-label={t.console} tabIndex={0} style={box}>{r.log.join('\n')}</pre> : <Typography.Text type="secondary">{t.noConsole}</Typography.Text>}
    </Flex>
  )
}
