import type { IClientPublishOptions, MqttClient } from 'mqtt'
import { useCallback, useEffect, useRef, useState } from 'react'

export type Login = { url: string; version?: '3.1.1' | '5.0'; clientId?: string; username?: string; password?: string }
export type Said = { n: number; at: Date; mine: boolean; topic: string; text: string; qos: number; retain: boolean }

// A Trouble is why something did not work: no answer, a refusal with its code,
// or what MQTT.js says.
export type Trouble = { kind: 'silent' | 'lost' } | { kind: 'refused'; code: number; login: Login } | { kind: 'filter'; filter: string } | { kind: 'said'; text: string }

const shownAtMost = 500

// useClient is an MQTT client over WebSocket. MQTT.js is loaded when it
// connects; when the page is left, the connection ends.
export function useClient() {
  const [state, setState] = useState<'off' | 'trying' | 'on'>('off')
  const [trouble, setTrouble] = useState<Trouble>()
  const [said, setSaid] = useState<Said[]>([])
  const [filters, setFilters] = useState<string[]>([])
  const client = useRef<MqttClient>(undefined)
  const count = useRef(0)
  const gone = useRef(false)
  useEffect(() => {
    gone.current = false
    return () => {
      gone.current = true
      client.current?.end(true)
    }
  }, [])
  const add = (s: Omit<Said, 'n' | 'at'>) => setSaid((old) => [{ n: ++count.current, at: new Date(), ...s }, ...old].slice(0, shownAtMost))

  const connect = async (login: Login) => {
    setTrouble(undefined)
    setState('trying')
    try {
      const { default: mqtt } = await import('mqtt')
      if (gone.current) return
      client.current?.end(true)
      const { url, version, ...who } = login
      const c = mqtt.connect(url, {
        reconnectPeriod: 0,
        connectTimeout: 15_000,
        timerVariant: 'native', // the other one is a worker out of a blob, which the content security policy refuses
        ...(version === '5.0' ? { protocolVersion: 5 as const } : {}),
        ...Object.fromEntries(Object.entries(who).filter(([, v]) => v)),
      })
      client.current = c
      const own = () => client.current === c && !gone.current
      let was: 'silent' | 'lost' | 'ended' = 'silent'
      c.on('connect', () => {
        was = 'lost'
        if (own()) setState('on')
      })
      c.on('error', (err) => {
        was = 'ended'
        if (own()) setTrouble(troubleOf(err, login))
      })
      c.on('close', () => {
        if (!own()) return
        setState('off')
        setFilters([])
        if (was !== 'ended' && !c.disconnecting) setTrouble((old) => old ?? { kind: was as 'silent' | 'lost' })
      })
      c.on('message', (topic, payload, p) => own() && add({ mine: false, topic, text: payload.toString(), qos: p.qos, retain: p.retain }))
    } catch (err) {
      setTrouble({ kind: 'said', text: err instanceof Error ? err.message : String(err) })
      setState('off')
    }
  }
  const failed = (err?: Error | null) => err && setTrouble({ kind: 'said', text: err.message })
  return {
    state, trouble, said, filters, connect,
    end: () => void client.current?.end(),
    clear: useCallback(() => setSaid([]), []),
    subscribe: (filter: string, qos: 0 | 1 | 2) => {
      setTrouble(undefined)
      client.current?.subscribe(filter, { qos }, (err, granted) => {
        if (granted?.some((g) => g.qos >= 128) || err?.message.startsWith('Subscribe error')) setTrouble({ kind: 'filter', filter })
        else if (err) failed(err)
        else setFilters((old) => [...old.filter((f) => f !== filter), filter])
      })
    },
    unsubscribe: (filter: string) => {
      client.current?.unsubscribe(filter, (err?: Error) => (err ? failed(err) : setFilters((old) => old.filter((f) => f !== filter))))
    },
    publish: (topic: string, text: string, o: Required<Pick<IClientPublishOptions, 'qos' | 'retain'>>) => {
      setTrouble(undefined)
      client.current?.publish(topic, text, o, (err) => (err ? failed(err) : add({ mine: true, topic, text, ...o })))
    },
  }
}

function troubleOf(err: Error, login: Login): Trouble {
  const code = 'code' in err ? Number(err.code) : NaN
  if (code > 0) return { kind: 'refused', code, login }
  return err.message && err.message !== 'connack timeout' && !/WebSocket/i.test(err.message) ? { kind: 'said', text: err.message } : { kind: 'silent' }
}
