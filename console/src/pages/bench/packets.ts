// MQTT 3.1.1 packets as the tutorials count them out by hand: bytes in, bytes
// out.

const text = new TextEncoder()

export function bytesOf(s: string): Uint8Array {
  return text.encode(s)
}

export function hexOf(b: Uint8Array): string {
  return Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('')
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (x) => parseInt(x, 16))
}

// The remaining length: seven bits a byte, the lowest first; a set eighth bit
// says that another byte follows [MQTT3 §2.2.3].
function remainingLength(n: number): number[] {
  const out: number[] = []
  do {
    const low = n % 128
    n = Math.floor(n / 128)
    out.push(n > 0 ? low + 128 : low)
  } while (n > 0)
  return out
}

function packet(first: number, ...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((n, p) => n + p.length, 0)
  const out = [first, ...remainingLength(length)]
  for (const p of parts) out.push(...p)
  return Uint8Array.from(out)
}

// A string has its length in two bytes before it [MQTT3 §1.5.3].
function counted(s: string): Uint8Array {
  const b = bytesOf(s)
  return Uint8Array.from([b.length >> 8, b.length & 0xff, ...b])
}

export const subscribe = (id: number, topic: string) => packet(0x82, Uint8Array.from([id >> 8, id & 0xff]), counted(topic), Uint8Array.from([0]))
export const publish = (topic: string, payload: string) => packet(0x30, counted(topic), bytesOf(payload))
export const ping = Uint8Array.from([0xc0, 0x00])
export const disconnect = Uint8Array.from([0xe0, 0x00])
