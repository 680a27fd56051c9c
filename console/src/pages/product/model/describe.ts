import { isNumber, type DataType, type Feature } from './types'
import { kindWord, modelTexts } from './texts'

type Words = (typeof modelTexts)['en']

// typeWord is a data type in a few letters: float, struct, array of int.
export function typeWord(t: DataType, dialect: string): string {
  const word = kindWord(t.kind, dialect)
  return t.kind === 'array' && t.item ? `${word}<${typeWord(t.item, dialect)}>` : word
}

// definition is what a table says of a feature beyond its names.
export function definition(f: Feature, words: Words): string {
  if ('type' in f) return typeDefinition(f.type, words)
  if ('level' in f) return `${words.levels[f.level]} · ${words.outputs(f.output.length)}`
  return `${f.async ? words.async : words.sync} · ${words.inOut(f.input.length, f.output.length)}`
}

function typeDefinition(t: DataType, words: Words): string {
  if (isNumber(t.kind)) {
    const range = t.min === undefined && t.max === undefined ? '' : `${t.min ?? '−∞'} … ${t.max ?? '∞'}`
    return [[range, t.unit].filter(Boolean).join(' '), t.step === undefined ? '' : words.stepIs(String(t.step))].filter(Boolean).join(', ')
  }
  if (t.kind === 'bool' || t.kind === 'enum') return (t.labels ?? []).filter((l) => l.text !== '' || t.kind === 'enum').map((l) => `${l.value} ${l.text}`).join(' · ')
  if (t.kind === 'text') return t.length ? `≤ ${t.length} ${words.bytes}` : ''
  if (t.kind === 'bitmap') return t.length ? `${t.length} bit` : ''
  if (t.kind === 'struct') return (t.fields ?? []).map((p) => p.id).join(', ')
  if (t.kind === 'array') return [t.size ? `≤ ${t.size} ${words.elements}` : '', t.item ? typeDefinition(t.item, words) : ''].filter(Boolean).join('; ')
  return ''
}
