import { accesses, kinds, levels, type DataType, type Event, type Label, type Model, type Param, type Property, type Service } from './types'

class Other extends Error {}

type Reader<T> = (v: unknown) => T

const text: Reader<string> = (v) => {
  if (typeof v !== 'string') throw new Other()
  return v
}
const number: Reader<number> = (v) => {
  if (typeof v !== 'number') throw new Other()
  return v
}
const flag: Reader<boolean> = (v) => {
  if (v !== undefined && typeof v !== 'boolean') throw new Other()
  return v ?? false
}
const oneOf = <T extends string>(words: readonly T[]): Reader<T> => (v) => {
  if (!words.includes(v as T)) throw new Other()
  return v as T
}
const perhaps = <T>(read: Reader<T>): Reader<T | undefined> => (v) => (v === undefined || v === null || v === '' || (Array.isArray(v) && v.length === 0) ? undefined : read(v))
const wordy: Reader<string> = (v) => (v === undefined || v === null ? '' : text(v))
const list = <T>(read: Reader<T>): Reader<T[]> => (v) => {
  if (v === undefined || v === null) return []
  if (!Array.isArray(v)) throw new Other()
  return v.map(read)
}
// object reads the members that are named, in that order; any other makes the
// document one of another form.
const object = <T>(readers: { [K in keyof T]-?: Reader<T[K]> }): Reader<T> => (v) => {
  if (typeof v !== 'object' || v === null || Object.keys(v).some((key) => !(key in readers))) throw new Other()
  const out: Record<string, unknown> = {}
  for (const [key, read] of Object.entries<Reader<unknown>>(readers)) {
    const value = read((v as Record<string, unknown>)[key])
    if (value !== undefined) out[key] = value
  }
  return out as T
}

const dataType: Reader<DataType> = (v) =>
  object<DataType>({
    kind: oneOf(kinds), min: perhaps(number), max: perhaps(number), step: perhaps(number), unit: perhaps(text), unitName: perhaps(text),
    labels: perhaps(list(object<Label>({ value: number, text: wordy }))), length: perhaps(number), fields: perhaps(list(param)), item: perhaps(dataType), size: perhaps(number),
  })(v)
const param: Reader<Param> = (v) => object<Param>({ id: wordy, name: wordy, required: flag, type: dataType })(v)

const model = object<Model>({
  properties: list(object<Property>({ id: wordy, name: wordy, desc: perhaps(text), access: oneOf(accesses), required: flag, type: dataType })),
  events: list(object<Event>({ id: wordy, name: wordy, desc: perhaps(text), level: oneOf(levels), required: flag, output: list(param) })),
  services: list(object<Service>({ id: wordy, name: wordy, desc: perhaps(text), async: flag, required: flag, input: list(param), output: list(param) })),
})

// readModel is a model in Matou's own form, its members in their usual order;
// undefined of anything else, such as a vendor's form or half a text.
export function readModel(from: unknown): Model | undefined {
  try {
    return model(typeof from === 'string' ? JSON.parse(from) : from)
  } catch {
    return undefined
  }
}

export const writeModel = (m: Model) => JSON.stringify(readModel(m) ?? m, null, 2)
