type Feature = { id?: string }
type Model = Record<string, Feature[] | undefined>

// A Difference is a feature that one model has and the other has not, or
// otherwise.
export type Difference = { what: 'added' | 'removed' | 'changed'; place: string; id: string }

// difference says what became of the features of a model.
export function difference(before: unknown, after: unknown): Difference[] {
  const [a, b] = [(before ?? {}) as Model, (after ?? {}) as Model]
  return ['properties', 'events', 'services'].flatMap((place) => {
    const old = new Map((a[place] ?? []).map((f) => [f.id ?? '', JSON.stringify(f)]))
    const now = new Map((b[place] ?? []).map((f) => [f.id ?? '', JSON.stringify(f)]))
    return [
      ...[...now].filter(([id, f]) => old.get(id) !== f).map(([id]) => ({ what: old.has(id) ? ('changed' as const) : ('added' as const), place, id })),
      ...[...old.keys()].filter((id) => !now.has(id)).map((id) => ({ what: 'removed' as const, place, id })),
    ]
  })
}
