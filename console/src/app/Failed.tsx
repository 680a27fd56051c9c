import { Button, Result } from 'antd'
import { useEffect } from 'react'
import { Link, useRouteError } from 'react-router'
import { useTexts } from '../i18n/texts'
import { appTexts } from './texts'

// notLoaded is what browsers say of a part of the console that did not come: the
// server is down, or is another since.
const notLoaded = /dynamically imported module|importing a module script/i

// Failed is what a visitor sees in the place of a page that is not there, or
// that broke.
export function Failed({ missing = false }: { missing?: boolean }) {
  const t = useTexts(appTexts)
  const error = useRouteError()
  if (missing) {
    return <Result status="404" title={t.notFound} extra={<Link to="/">{t.home}</Link>} />
  }
  if (error instanceof TypeError && notLoaded.test(error.message)) return <NotLoaded />
  return (
    <Result
      status="error"
      title={t.failed}
      subTitle={error instanceof Error ? error.message : undefined}
      extra={<Button onClick={() => location.reload()}>{t.again}</Button>}
    />
  )
}

const loadedAgain = 'matou.loadedAgain'
const pause = 30_000 // between two loads that nobody asked for, in milliseconds
const look = 2_000

// NotLoaded stands where a page did not come, and loads it when the server
// answers: a page that does not come from a server that does is not asked for
// over and over.
function NotLoaded() {
  const t = useTexts(appTexts)
  useEffect(() => {
    const timer = setInterval(async () => {
      const answers = await fetch('/healthz').then((a) => a.ok, () => false)
      if (!answers || Date.now() - Number(sessionStorage.getItem(loadedAgain)) < pause) return
      sessionStorage.setItem(loadedAgain, String(Date.now()))
      location.reload()
    }, look)
    return () => clearInterval(timer)
  }, [])
  return <Result status="warning" title={t.notLoaded} extra={<Button onClick={() => location.reload()}>{t.again}</Button>} />
}
