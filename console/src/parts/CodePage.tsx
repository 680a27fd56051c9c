import { useQuery } from '@tanstack/react-query'
import { Alert, Descriptions, Skeleton } from 'antd'
import { api, must, type Schemas } from '../api/client'
import { useLanguage, useTexts } from '../i18n/texts'
import { explainTexts } from './sharedTexts'

// CodePage is what the documentation says of a code.
export function CodePage({ code }: { code: string }) {
  const page = useQuery({
    queryKey: ['refusals', code],
    queryFn: () => must(api.GET('/api/v1/refusals/{code}', { params: { path: { code } } })),
    staleTime: Infinity,
    retry: false,
  })
  if (page.error) return <Alert type="warning" title={page.error.message} />
  if (!page.data) return <Skeleton active />
  return <CodeText page={page.data} />
}

export function CodeText({ page }: { page: Schemas['Page'] }) {
  const t = useTexts(explainTexts)
  const zh = useLanguage().language === 'zh'
  const item = (key: string, label: string, children: string) => ({ key, label, children: <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{children}</span> })
  return (
    <Descriptions
      column={1}
      size="small"
      layout="vertical"
      title={zh ? page.titleZh : page.title}
      items={[
        item('device', t.device, zh ? page.deviceZh : page.device),
        item('cause', t.cause, zh ? page.causeZh : page.cause),
        item('advice', t.advice, zh ? page.adviceZh : page.advice),
        ...(page.example ? [item('example', t.example, page.example)] : []),
      ]}
    />
  )
}
