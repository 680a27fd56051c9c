import { Modal } from 'antd'
import { createContext, useContext, useEffect, useState, type ReactNode } from 'react'
import { useBlocker } from 'react-router'
import { texts, useTexts } from '../i18n/texts'

const unsavedTexts = texts(
  { title: 'Leave without saving?', what: 'What was changed on this page and not saved is lost.', leave: 'Leave', stay: 'Stay' },
  { title: '不保存就离开？', what: '此页面上尚未保存的修改将丢失。', leave: '离开', stay: '留在此页' },
)

const Count = createContext<(by: 1 | -1) => void>(() => undefined)

// nothingToSave is the state of a journey that leaves because what was edited is
// gone.
export const nothingToSave = 'nothing to save'

// UnsavedGuard asks before a visitor leaves a page on which something is not
// saved: by a link, by going back, by closing the window. It stands once around
// the parts of a page, for the router knows one blocker.
export function UnsavedGuard({ children }: { children: ReactNode }) {
  const t = useTexts(unsavedTexts)
  const [unsaved, setUnsaved] = useState(0)
  const [count] = useState(() => (by: 1 | -1) => setUnsaved((n) => n + by))
  const blocked = useBlocker(({ currentLocation, nextLocation }) => unsaved > 0 && currentLocation.pathname !== nextLocation.pathname && nextLocation.state !== nothingToSave)
  useEffect(() => {
    if (unsaved === 0) return
    const ask = (e: BeforeUnloadEvent) => e.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [unsaved])
  return (
    <Count.Provider value={count}>
      {children}
      {blocked.state === 'blocked' && (
        <Modal open title={t.title} okText={t.leave} okButtonProps={{ danger: true }} cancelText={t.stay} onOk={() => blocked.proceed()} onCancel={() => blocked.reset()}>
          {t.what}
        </Modal>
      )}
    </Count.Provider>
  )
}

// useUnsaved tells the guard around a part whether it has something unsaved.
export function useUnsaved(when: boolean) {
  const count = useContext(Count)
  useEffect(() => {
    if (!when) return
    count(1)
    return () => count(-1)
  }, [when, count])
}
