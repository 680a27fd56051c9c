import { places, type Model, type Place } from './types'

// A Detail is a member of a feature that two models have differently.
export type Detail = { path: string; was: string; became: string }

// A Difference is a feature that one model has and the other has not, or
// otherwise.
export type Difference = { what: 'added' | 'removed' | 'changed'; place: Place; id: string; details: Detail[] }

// difference says what became of the features of a model.
export function difference(before: Model, after: Model): Difference[] {
  return places.flatMap((place) => {
    const old = new Map(before[place].map((f) => [f.id, f]))
    const now = new Map(after[place].map((f) => [f.id, f]))
    return [
      ...[...now].flatMap(([id, f]): Difference[] => {
        if (!old.has(id)) return [{ what: 'added', place, id, details: [] }]
        const details = detailsOf('', old.get(id), f)
        return details.length > 0 ? [{ what: 'changed', place, id, details }] : []
      }),
      ...[...old.keys()].filter((id) => !now.has(id)).map((id): Difference => ({ what: 'removed', place, id, details: [] })),
    ]
  })
}

const shown = (v: unknown) => (v === undefined ? '' : typeof v === 'string' ? v : JSON.stringify(v))

function detailsOf(path: string, was: unknown, became: unknown): Detail[] {
  if (!isTree(was) || !isTree(became)) return shown(was) === shown(became) ? [] : [{ path, was: shown(was), became: shown(became) }]
  const [a, b] = [members(was), members(became)]
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((key) => detailsOf(path ? `${path}.${key}` : key, a.get(key), b.get(key)))
}

const isTree = (v: unknown): v is object => typeof v === 'object' && v !== null

// members of a list are known by their identifiers or values, where they have
// some.
function members(v: object): Map<string, unknown> {
  if (!Array.isArray(v)) return new Map(Object.entries(v))
  return new Map(v.map((e: { id?: string; value?: number }, i) => [String(e?.id ?? e?.value ?? i), e]))
}
