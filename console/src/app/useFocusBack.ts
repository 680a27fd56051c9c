import { useEffect } from 'react'

const remembered = 20 // places where the keyboard was
const dialog = '[aria-modal=true]'

// useFocusBack gives the keyboard back to where it was when a dialog or drawer
// goes: one that is taken away at once takes the focus with it, and the next Tab
// would begin at the top of the page.
export function useFocusBack() {
  useEffect(() => {
    const places: HTMLElement[] = []
    const note = (e: FocusEvent) => {
      if (!(e.target instanceof HTMLElement) || e.target === places.at(-1)) return
      if (!e.target.closest(dialog) && [...document.querySelectorAll(dialog)].some((d) => d.checkVisibility())) return // on its way back into the dialog
      places.push(e.target)
      if (places.length > remembered) places.shift()
    }
    const changes = new MutationObserver(() => {
      if (document.activeElement !== document.body || places.at(-1)?.isConnected !== false) return
      places.findLast((p) => p.isConnected && p.checkVisibility())?.focus()
    })
    document.addEventListener('focusin', note)
    changes.observe(document.body, { childList: true })
    return () => {
      document.removeEventListener('focusin', note)
      changes.disconnect()
    }
  }, [])
}
