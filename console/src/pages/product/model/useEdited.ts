import { useReducer } from 'react'

type State = { past: (string | undefined)[]; now: string | undefined; future: (string | undefined)[]; typing: boolean }
type Act = { do: 'write'; text: string; typed: boolean } | { do: 'undo' | 'redo' | 'saved' }

const fresh: State = { past: [], now: undefined, future: [], typing: false }
const maxPast = 100

function step(s: State, a: Act): State {
  switch (a.do) {
    case 'write':
      // What is typed in one go is undone in one go.
      return { past: a.typed && s.typing ? s.past : [...s.past, s.now].slice(-maxPast), now: a.text, future: [], typing: a.typed }
    case 'undo':
      return s.past.length === 0 ? s : { past: s.past.slice(0, -1), now: s.past.at(-1), future: [s.now, ...s.future], typing: false }
    case 'redo':
      return s.future.length === 0 ? s : { past: [...s.past, s.now], now: s.future[0], future: s.future.slice(1), typing: false }
    case 'saved':
      return fresh
  }
}

// useEdited is a text in the making, as form and as JSON alike: undefined while
// it is still what was saved.
export function useEdited() {
  const [state, act] = useReducer(step, fresh)
  return {
    text: state.now,
    write: (text: string, typed = false) => act({ do: 'write', text, typed }),
    undo: () => act({ do: 'undo' }),
    redo: () => act({ do: 'redo' }),
    canUndo: state.past.length > 0,
    canRedo: state.future.length > 0,
    saved: () => act({ do: 'saved' }),
  }
}
