// A Member is where a text of JSON has a member: from its name to the end of
// its value.
export type Member = { name: string; from: number; named: number; to: number }

// members finds those that are called by one of the names, the outer one where
// one is within another. The text may be cut off or as lenient as firmware
// writes it.
export function members(text: string, names: readonly string[]): Member[] {
  const wanted = new Set(names)
  const found: Member[] = []
  const name = /(["'])((?:\\.|(?!\1).)*)\1\s*:\s*/gs
  for (let m = name.exec(text); m; m = name.exec(text)) {
    if (!wanted.has(m[2]!)) continue
    const to = valueEnd(text, name.lastIndex)
    found.push({ name: m[2]!, from: m.index, named: m.index + m[2]!.length + 2, to })
    name.lastIndex = to
  }
  return found
}

// valueEnd is where the value that begins at an offset ends.
function valueEnd(text: string, at: number): number {
  let deep = 0
  for (let i = at; i < text.length; i++) {
    const c = text[i]!
    if (c === '"' || c === "'") {
      for (i++; i < text.length && text[i] !== c; i++) if (text[i] === '\\') i++
      if (deep === 0) return Math.min(i + 1, text.length)
    } else if (c === '{' || c === '[') deep++
    else if (c === '}' || c === ']') {
      if (deep === 0) return i
      if (--deep === 0) return i + 1
    } else if (deep === 0 && (c === ',' || /\s/.test(c))) return i
  }
  return text.length
}

// byteMembers finds them in bytes, of which the text of the names is UTF-8.
export function byteMembers(bytes: number[], names: readonly string[]): Member[] {
  const latin = (b: ArrayLike<number>) => Array.from(b, (c) => String.fromCharCode(c)).join('')
  const written = new Map(names.map((n) => [latin(new TextEncoder().encode(n)), n]))
  return members(latin(bytes), [...written.keys()]).map((m) => ({ ...m, name: written.get(m.name)! }))
}
