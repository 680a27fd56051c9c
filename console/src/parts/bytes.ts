// bytesOf reads hex with or without blanks; what is not hex is passed over.
export function bytesOf(hex: string): number[] {
  return (hex.replace(/[^0-9a-fA-F]/g, '').match(/../g) ?? []).map((b) => parseInt(b, 16))
}

export const hexOf = (b: number) => b.toString(16).padStart(2, '0')

// A Step is one byte of a remaining length [MQTT5 §1.5.5].
export type Step = { hex: string; low: number; factor: number; more: boolean }

// remainingLength decodes the length behind the first byte of a packet.
export function remainingLength(bytes: number[]): { steps: Step[]; total: number } {
  const steps: Step[] = []
  let total = 0
  for (let i = 1, factor = 1; i < bytes.length && i <= 4; i++, factor *= 128) {
    const b = bytes[i]!
    const low = b & 0x7f
    const more = b >= 0x80
    total += low * factor
    steps.push({ hex: hexOf(b), low, factor, more })
    if (!more) break
  }
  return { steps, total }
}

// base64Bytes reads what JSON carries bytes as.
export function base64Bytes(text: string): number[] {
  return Array.from(atob(text), (c) => c.charCodeAt(0))
}

// readHex reads hex that somebody typed, with blanks, commas or 0x between; it
// is undefined where that is no whole bytes.
export function readHex(text: string): number[] | undefined {
  const digits = text.replace(/0x/gi, '').replace(/[\s,]+/g, '')
  return /^([0-9a-fA-F]{2})*$/.test(digits) ? bytesOf(digits) : undefined
}

// base64Of writes bytes as JSON carries them.
export function base64Of(bytes: number[]): string {
  return btoa(bytes.map((b) => String.fromCharCode(b)).join(''))
}

// spacedHex writes bytes for people: AA 01 1F.
export const spacedHex = (bytes: number[]) => bytes.map((b) => hexOf(b).toUpperCase()).join(' ')
