// readText is the text in a file, undefined where it holds something else:
// UTF-8, or what spreadsheets write, which is UTF-16 with its mark or, on a
// Chinese Windows, GB 18030.
export async function readText(file: Blob): Promise<string | undefined> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  const as = (name: string) => {
    try {
      return new TextDecoder(name, { fatal: true }).decode(bytes)
    } catch {
      return undefined
    }
  }
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return as('utf-16le')
  if (bytes.includes(0)) return undefined
  return as('utf-8') ?? as('gb18030')
}
