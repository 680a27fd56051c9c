import { createContext, useContext } from 'react'

// The two languages of the console. Each page keeps its texts beside it, in
// both: a text that one language lacks does not compile.
export type Language = 'en' | 'zh'

// Texts are what texts() made: the English ones and the Chinese ones, with the
// same names. A text with parts that change is a function.
export type Texts<T> = { en: T; zh: T }

type Loose<T> = { [K in keyof T]: T[K] extends string ? string : T[K] }

export function texts<T extends Record<string, unknown>>(en: T, zh: Loose<T>): Texts<Loose<T>> {
  return { en: en as Loose<T>, zh }
}

export const LanguageContext = createContext<{ language: Language; choose: (l: Language) => void }>({
  language: 'en',
  choose: () => undefined,
})

export function useLanguage() {
  return useContext(LanguageContext)
}

// useTexts picks the visitor's language.
export function useTexts<T>(t: Texts<T>): T {
  return t[useLanguage().language]
}

const kept = 'matou.language'

// firstLanguage is the visitor's, before he chooses one here. The page says it
// before its first request is sent.
export function firstLanguage(): Language {
  const chosen = localStorage.getItem(kept)
  const first = chosen === 'en' || chosen === 'zh' ? chosen : navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
  show(first)
  return first
}

export function keepLanguage(l: Language) {
  localStorage.setItem(kept, l)
  show(l)
}

function show(l: Language) {
  document.documentElement.lang = l === 'zh' ? 'zh-CN' : 'en'
}
