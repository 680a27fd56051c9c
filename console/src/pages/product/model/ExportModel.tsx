import { CopyOutlined, DownloadOutlined } from '@ant-design/icons'
import { App, Button, Flex, Input, Modal, Segmented, Skeleton } from 'antd'
import { useState } from 'react'
import { useTexts } from '../../../i18n/texts'
import { copyText } from '../../../parts/copyText'
import { Refused } from '../../../parts/Refused'
import { saveFile } from '../../../parts/saveFile'
import { Lost } from './Lost'
import { useConverted } from './models'
import { modelTexts } from './texts'

const forms = ['aliyun', 'onenet', 'matou'] as const

// ExportModel writes what is in the editor in a form of the visitor's choice,
// and says first what that form has no place for.
export function ExportModel({ product, dialect, text, close }: { product: string; dialect: string; text: string; close: () => void }) {
  const t = useTexts(modelTexts)
  const { message } = App.useApp()
  const [to, setTo] = useState<(typeof forms)[number]>(forms.find((f) => f === dialect) ?? 'matou')
  const made = useConverted(product, text, to)
  const copy = async () => {
    await copyText(made.data?.text ?? '')
    message.success(t.copied)
  }
  return (
    <Modal
      open
      width={680}
      title={t.exportTitle}
      onCancel={close}
      footer={
        <Flex justify="end" gap={8} wrap>
          <Button icon={<CopyOutlined />} disabled={!made.data} onClick={copy}>{t.copy}</Button>
          <Button type="primary" icon={<DownloadOutlined />} disabled={!made.data} onClick={() => saveFile(`${product}.${to}.json`, 'application/json', made.data?.text ?? '')}>{t.download}</Button>
        </Flex>
      }
    >
      <Flex vertical gap={12}>
        <Segmented aria-label={t.as} value={to} onChange={setTo} options={forms.map((value) => ({ value, label: t.forms[value] ?? value }))} style={{ alignSelf: 'start' }} />
        {made.isPending && <Skeleton active />}
        <Refused error={made.error} />
        {made.data && (
          <>
            <Lost lost={made.data.lost} />
            <Input.TextArea className="mono" aria-label={t.json} readOnly value={made.data.text} rows={12} />
          </>
        )}
      </Flex>
    </Modal>
  )
}
