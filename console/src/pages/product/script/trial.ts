import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { api, must } from '../../../api/client'
import { base64Of, readHex } from '../../../parts/bytes'

// functions are those that a script may have.
export const functions = ['rawDataToProtocol', 'protocolToRawData', 'transformPayload'] as const
export type Function = (typeof functions)[number]

// useTrial is what goes into a run of a script, and what came of the last one.
export function useTrial(product: string, dialect: string) {
  const [which, setWhich] = useState<Function>('rawDataToProtocol')
  const [hex, setHex] = useState('AA 01 1F')
  const [topic, setTopic] = useState(dialect === 'onenet' ? `$sys/${product}/device/custom` : `/${product}/device/user/update`)
  const [message, setMessage] = useState(setProperty(dialect))
  const bytes = readHex(hex)
  const json = readJSON(message)
  const ready = which === 'protocolToRawData' ? json !== undefined : bytes !== undefined
  const run = useMutation({
    mutationFn: (source: string) => {
      const input = which === 'protocolToRawData' ? { message: json } : { base64: base64Of(bytes ?? []), ...(which === 'transformPayload' && { topic }) }
      return must(api.POST('/api/v1/products/{product}/script/test', { params: { path: { product } }, body: { source, function: which, ...input } }))
    },
  })
  const choose = (f: Function) => {
    run.reset()
    setWhich(f)
  }
  return { which, choose, hex, setHex, bytes, topic, setTopic, message, setMessage, json, ready, run }
}

export type Trial = ReturnType<typeof useTrial>

function readJSON(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

// setProperty is a message as protocolToRawData gets it, in the dialect's words.
function setProperty(dialect: string): string {
  const said = dialect === 'onenet' ? { id: '1', version: '1.0', params: { Switch: true } } : { method: 'thing.service.property.set', id: '1', version: '1.0', params: { Switch: 1 } }
  return JSON.stringify(said, null, 2)
}
