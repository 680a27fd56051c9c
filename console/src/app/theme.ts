import { createContext, useEffect, useMemo, useState } from 'react'

// A Look is light or dark, as the visitor chose or as the system has it, and
// still where the system asks for less motion.
export type Look = { choice: 'light' | 'dark' | 'system'; dark: boolean; still: boolean; choose: (c: Look['choice']) => void }

export const ThemeContext = createContext<Look>({ choice: 'system', dark: false, still: false, choose: () => undefined })

const kept = 'matou.theme'

// usePreference follows what the system says of its user.
function usePreference(of: string) {
  const [has, setHas] = useState(() => matchMedia(of).matches)
  useEffect(() => {
    const query = matchMedia(of)
    const change = () => setHas(query.matches)
    query.addEventListener('change', change)
    return () => query.removeEventListener('change', change)
  }, [of])
  return has
}

export function useTheme(): Look {
  const [choice, setChoice] = useState<Look['choice']>(() => {
    const c = localStorage.getItem(kept)
    return c === 'light' || c === 'dark' ? c : 'system'
  })
  const system = usePreference('(prefers-color-scheme: dark)')
  const still = usePreference('(prefers-reduced-motion: reduce)')
  const dark = choice === 'system' ? system : choice === 'dark'
  useEffect(() => {
    document.documentElement.style.colorScheme = dark ? 'dark' : 'light'
  }, [dark])
  return useMemo(
    () => ({
      choice,
      dark,
      still,
      choose: (c) => {
        localStorage.setItem(kept, c)
        setChoice(c)
      },
    }),
    [choice, dark, still],
  )
}
