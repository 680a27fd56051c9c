// moved is a list with one element in another place.
export function moved<T>(list: T[], from: number, to: number): T[] {
  const one = list[from]
  return one === undefined ? list : list.toSpliced(from, 1).toSpliced(to, 0, one)
}

// copyOf is an element again, with an identifier that no other has.
export function copyOf<T extends { id: string }>(one: T, list: T[]): T {
  const base = one.id.replace(/_\d+$/, '')
  let n = 2
  while (list.some((other) => other.id === `${base}_${n}`)) n++
  return { ...one, id: `${base}_${n}` }
}
