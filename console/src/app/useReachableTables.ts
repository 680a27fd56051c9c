import { useEffect } from 'react'

// useReachableTables lets the keyboard scroll what antd lets only a pointer
// scroll: tables that are wider than their place.
export function useReachableTables() {
  useEffect(() => {
    const reach = () => document.querySelectorAll('.ant-table-content[style*="overflow"]:not([tabindex])').forEach((table) => table.setAttribute('tabindex', '0'))
    reach()
    const changes = new MutationObserver(reach)
    changes.observe(document.body, { childList: true, subtree: true })
    return () => changes.disconnect()
  }, [])
}
