// A Mistake is where a text is no JSON, and the engine's own words for it.
export type Mistake = { why: string; line?: number }

// mistakeIn is why a text is no JSON, undefined where it is.
export function mistakeIn(text: string): Mistake | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (e) {
    const why = e instanceof Error ? e.message : String(e)
    const at = /line (\d+)/.exec(why)?.[1] ?? null
    const position = /position (\d+)/.exec(why)?.[1]
    if (at) return { why, line: Number(at) }
    if (position) return { why, line: text.slice(0, Number(position)).split('\n').length }
    return /end of JSON|EOF/i.test(why) ? { why, line: text.split('\n').length } : { why }
  }
}
