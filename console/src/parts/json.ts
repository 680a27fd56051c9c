// A Mistake is where a text is no JSON, and the engine's own words for it.
export type Mistake = { why: string; line?: number }

// mistakeIn is why a text is no JSON, undefined where it is.
export function mistakeIn(text: string): Mistake | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (e) {
    const why = e instanceof Error ? e.message : String(e)
    try {
      return { why, line: text.slice(0, faultOf(text)).split('\n').length }
    } catch {
      return { why } // nested too deeply to be looked through
    }
  }
}

const token = /\s*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/y

// faultOf is where the first character stands that cannot be there in JSON.
// Engines say that in words of their own, and not always.
function faultOf(text: string): number {
  let end = 0 // of the token read last
  let [sign, value]: (string | undefined)[] = []
  const next = () => {
    token.lastIndex = end
    const found = token.exec(text)
    ;[sign, value] = [found?.[1], found?.[2]]
    if (!found) return false
    end = token.lastIndex
    return true
  }
  const fault = (): number => {
    if (sign ?? value) return end - (sign ?? value)!.length
    return end + (/^\s*/.exec(text.slice(end))?.[0].length ?? 0)
  }
  // Each of these reads on behind what it is called for, and reports whether
  // that was right.
  const element = (): boolean => {
    if (!next()) return false
    if (value !== undefined) return true
    if (sign === '{') return members('}', () => value !== undefined && value.startsWith('"') && next() && sign === ':' && element())
    if (sign === '[') {
      return members(']', () => {
        end -= (sign ?? value)!.length // it was read to see whether the list is empty
        return element()
      })
    }
    return false
  }
  const members = (close: string, one: () => boolean): boolean => {
    if (!next()) return false
    if (sign === close) return true
    for (;;) {
      if (!one() || !next()) return false
      if (sign === close) return true
      if (sign !== ',' || !next()) return false
    }
  }
  if (!element()) return fault()
  next() // what stands behind the end
  return fault()
}
