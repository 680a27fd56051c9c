import { isNumber, places, splitID, standings, type DataType, type Feature, type Model, type Param, type Place } from './types'

// A Trouble is what is wrong with a field of a feature: `at` names the field,
// such as "type.fields.0.id". A hint does not keep a model from being published.
export type Trouble = { at: string; what: keyof typeof serious }

// Which troubles are serious. The server holds the same rules, and those that
// are not here; it judges once more.
const serious = {
  idMissing: true, idChars: true, idLong: true, idTwice: true, upsideDown: true, negative: true, valueTwice: true, tooDeep: true,
  idVendor: false, idReserved: false, noValues: false, noFields: false, fraction: false,
}

export const isSerious = (t: Trouble) => serious[t.what]

const maxID = 128 // bytes
const maxNesting = 4
const vendorID: Record<string, RegExp> = { aliyun: /^[A-Za-z0-9_]{1,50}$/, onenet: /^\$?[A-Za-z0-9_-]{1,64}$/ }
const reserved: Record<string, string[]> = { aliyun: ['set', 'get', 'post', 'time', 'value', 'property', 'event'] }

// troublesOf are those of one feature; taken are the identifiers beside it.
export function troublesOf(place: Place, f: Feature, taken: string[], dialect: string): Trouble[] {
  const out: Trouble[] = []
  const say = (at: string, what: Trouble['what']) => void out.push({ at, what })
  identifier('id', f.id, taken, dialect, say)
  if (place === 'properties' && 'type' in f) dataType('type', f.type, 0, dialect, say)
  if ('input' in f) params('input', f.input, 0, dialect, say)
  if ('output' in f) params('output', f.output, 0, dialect, say)
  return out
}

type Say = (at: string, what: Trouble['what']) => void

function identifier(at: string, id: string, taken: string[], dialect: string, say: Say) {
  const own = splitID(id)[1]
  if (own === '') say(at, 'idMissing')
  else if (/[/+#"\\\u0000-\u0020]/.test(id)) say(at, 'idChars')
  else if (new TextEncoder().encode(id).length > maxID) say(at, 'idLong')
  else if (taken.includes(id)) say(at, 'idTwice')
  else if (reserved[dialect]?.includes(own)) say(at, 'idReserved')
  else if (vendorID[dialect] && !vendorID[dialect].test(own)) say(at, 'idVendor')
}

function params(at: string, list: Param[], depth: number, dialect: string, say: Say) {
  list.forEach((p, i) => {
    identifier(`${at}.${i}.id`, p.id, list.slice(0, i).map((other) => other.id), dialect, say)
    dataType(`${at}.${i}.type`, p.type, depth, dialect, say)
  })
}

function dataType(at: string, t: DataType, depth: number, dialect: string, say: Say) {
  if (depth > maxNesting) return say(`${at}.kind`, 'tooDeep')
  if (isNumber(t.kind)) {
    if (t.min !== undefined && t.max !== undefined && t.min > t.max) say(`${at}.max`, 'upsideDown')
    if (t.step !== undefined && t.step < 0) say(`${at}.step`, 'negative')
    if (t.kind.startsWith('int')) for (const key of ['min', 'max', 'step'] as const) if (!Number.isInteger(t[key] ?? 0)) say(`${at}.${key}`, 'fraction')
  }
  if ((t.length ?? 0) < 0) say(`${at}.length`, 'negative')
  if ((t.size ?? 0) < 0) say(`${at}.size`, 'negative')
  if (t.kind === 'enum') {
    const values = (t.labels ?? []).map((l) => l.value)
    if (values.length === 0) say(`${at}.labels`, 'noValues')
    values.forEach((v, i) => values.indexOf(v) < i && say(`${at}.labels.${i}`, 'valueTwice'))
  }
  if (t.kind === 'array' && t.item) dataType(`${at}.item`, t.item, depth + 1, dialect, say)
  if (t.kind === 'struct') {
    if (!t.fields?.length) say(`${at}.fields`, 'noFields')
    params(`${at}.fields`, t.fields ?? [], depth + 1, dialect, say)
  }
}

// troubledFeatures are the troubles of a whole model by place and index.
export function troubledFeatures(m: Model, dialect: string): Map<string, Trouble[]> {
  return new Map(standings(m).map(({ place, index, feature }) => [`${place}[${index}]`, troublesOf(place, feature, m[place].slice(0, index).map((f) => f.id), dialect)]))
}

// placeOf reads where a problem is that the server names, such as
// `properties[0] "a": …`.
export function placeOf(problem: string | undefined): { place: Place; index: number } | undefined {
  const found = /^(\w+)\[(\d+)\]/.exec(problem ?? '')
  const place = places.find((p) => p === found?.[1])
  return place && { place, index: Number(found?.[2]) }
}
