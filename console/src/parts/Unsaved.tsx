import { Modal } from 'antd'
import { useEffect } from 'react'
import { useBlocker } from 'react-router'
import { texts, useTexts } from '../i18n/texts'

const unsavedTexts = texts(
  { title: 'Leave without saving?', what: 'What was changed on this page and not saved is lost.', leave: 'Leave', stay: 'Stay' },
  { title: '不保存就离开？', what: '此页面上尚未保存的修改将丢失。', leave: '离开', stay: '留在此页' },
)

// Unsaved asks before a visitor leaves a page on which something is not saved:
// by a link, by going back, by closing the window.
export function Unsaved({ when }: { when: boolean }) {
  const t = useTexts(unsavedTexts)
  const blocked = useBlocker(({ currentLocation, nextLocation }) => when && currentLocation.pathname !== nextLocation.pathname)
  useEffect(() => {
    if (!when) return
    const ask = (e: BeforeUnloadEvent) => e.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [when])
  return (
    <Modal open={blocked.state === 'blocked'} title={t.title} okText={t.leave} okButtonProps={{ danger: true }} cancelText={t.stay} onOk={() => blocked.proceed?.()} onCancel={() => blocked.reset?.()}>
      {t.what}
    </Modal>
  )
}
