// The thing model as the API has it in Matou's own form.
export const kinds = ['int32', 'int64', 'float', 'double', 'bool', 'enum', 'text', 'date', 'struct', 'array', 'bitmap'] as const
export type Kind = (typeof kinds)[number]
export const accesses = ['read-only', 'read-write', 'write-only'] as const
export const levels = ['info', 'alert', 'error'] as const
export const places = ['properties', 'events', 'services'] as const
export type Place = (typeof places)[number]

export type Label = { value: number; text: string }
export type DataType = {
  kind: Kind
  min?: number | undefined
  max?: number | undefined
  step?: number | undefined
  unit?: string | undefined
  unitName?: string | undefined
  labels?: Label[] | undefined
  length?: number | undefined
  fields?: Param[] | undefined
  item?: DataType | undefined
  size?: number | undefined
}
export type Param = { id: string; name: string; required: boolean; type: DataType }
type About = { id: string; name: string; desc?: string | undefined; required: boolean }
export type Property = About & { access: (typeof accesses)[number]; type: DataType }
export type Event = About & { level: (typeof levels)[number]; output: Param[] }
export type Service = About & { async: boolean; input: Param[]; output: Param[] }
export type Feature = Property | Event | Service
export type Model = { properties: Property[]; events: Event[]; services: Service[] }

export const empty: Model = { properties: [], events: [], services: [] }

// fresh is a feature, or a parameter, that nobody has filled in yet.
export function fresh(place: Place): Feature {
  const about = { id: '', name: '', required: false }
  if (place === 'properties') return { ...about, access: 'read-only', type: { kind: 'float' } }
  if (place === 'events') return { ...about, level: 'info', output: [] }
  return { ...about, async: true, input: [], output: [] }
}

export const freshParam = (): Param => ({ id: '', name: '', required: false, type: { kind: 'int32' } })

// ofKind is a type of another kind, with what still fits of the old one.
export function ofKind(kind: Kind, old: DataType): DataType {
  if (isNumber(kind)) return isNumber(old.kind) ? { ...old, kind } : { kind }
  if (kind === 'bool') return { kind, labels: [0, 1].map((value) => ({ value, text: old.labels?.find((l) => l.value === value)?.text ?? '' })) }
  if (kind === 'enum') return { kind, labels: old.labels ?? [{ value: 0, text: '' }] }
  if (kind === 'struct') return { kind, fields: old.fields ?? old.item?.fields ?? [] }
  if (kind === 'array') return { kind, item: old.kind === 'struct' || isNumber(old.kind) ? old : { kind: 'int32' } }
  return { kind }
}

export const isNumber = (kind: Kind) => kind === 'int32' || kind === 'int64' || kind === 'float' || kind === 'double'

// A function's identifier begins with its module's, where it is in one.
export function splitID(id: string): [module: string, own: string] {
  const at = id.indexOf(':')
  return at < 0 ? ['', id] : [id.slice(0, at), id.slice(at + 1)]
}

export const joinID = (module: string, own: string) => (module ? `${module}:${own}` : own)

// placesOf are the features of a model with where they stand.
export type Standing = { place: Place; index: number; feature: Feature }
export const standings = (m: Model): Standing[] => places.flatMap((place) => m[place].map((feature, index) => ({ place, index, feature })))

// withFeatures is a model with other features in one place.
export const withFeatures = (m: Model, place: Place, list: Feature[]): Model => ({ ...m, [place]: list })
