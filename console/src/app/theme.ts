import { createContext, useEffect, useMemo, useState } from 'react'

// A Look is light or dark, as the visitor chose or as the system has it.
export type Look = { choice: 'light' | 'dark' | 'system'; dark: boolean; choose: (c: Look['choice']) => void }

export const ThemeContext = createContext<Look>({ choice: 'system', dark: false, choose: () => undefined })

const kept = 'matou.theme'

export function useTheme(): Look {
  const [choice, setChoice] = useState<Look['choice']>(() => {
    const c = localStorage.getItem(kept)
    return c === 'light' || c === 'dark' ? c : 'system'
  })
  const [system, setSystem] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches)
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const change = () => setSystem(query.matches)
    query.addEventListener('change', change)
    return () => query.removeEventListener('change', change)
  }, [])
  const dark = choice === 'system' ? system : choice === 'dark'
  useEffect(() => {
    document.documentElement.style.colorScheme = dark ? 'dark' : 'light'
  }, [dark])
  return useMemo(
    () => ({
      choice,
      dark,
      choose: (c) => {
        localStorage.setItem(kept, c)
        setChoice(c)
      },
    }),
    [choice, dark],
  )
}
