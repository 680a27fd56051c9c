import { Problem } from '../api/client'

// problemText is what a refusal says, with the fields it names.
export function problemText(e: unknown): string {
  if (!(e instanceof Problem)) return e instanceof Error ? e.message : String(e)
  const places = e.errors.filter((f) => !f.message || !e.detail.includes(f.message)).map((f) => [f.location?.replace(/^body\./, ''), f.message].filter(Boolean).join(': '))
  return [e.detail, ...places.filter(Boolean).slice(0, 5)].join('\n')
}
