// Devices of the stories: clients that nobody here wrote, with the credentials
// that the console shows.
import { spawn, spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { ask } from './house.mjs'

// needsMosquitto is why a story is left out where Mosquitto's client is not.
export const needsMosquitto = spawnSync('mosquitto_pub', ['--help']).error ? 'SKIPPED: mosquitto_pub is missing; run test/prepare' : false

const args = (l, topic) => ['-h', l.host, '-p', String(l.port), '-i', l.clientId, '-u', l.username, '-P', l.password, '-t', topic]

// connected is a client that publishes to one topic until it is ended.
export function connected(login, topic) {
  const child = spawn('mosquitto_pub', [...args(login, topic), '-q', '1', '-l'], { stdio: ['pipe', 'inherit', 'inherit'] })
  return {
    publish: (text) => child.stdin.write(text + '\n'),
    end: () => new Promise((ended) => {
      child.once('close', ended)
      child.stdin.end()
    }),
  }
}

// publish says one message, and whether the client was let in.
export function publish(login, topic, text) {
  return spawnSync('mosquitto_pub', [...args(login, topic), '-q', '1', '-m', text], { timeout: 60_000 }).status === 0
}

// loginOf is how a device of the registry logs in.
export async function loginOf(product, device) {
  return (await ask('GET', `/products/${product}/devices/${device}/credentials`)).items[0]
}

export const postTopic = (product, device) => `/sys/${product}/${device}/thing/event/property/post`
export const post = (params) => JSON.stringify({ id: '1', version: '1.0', params, method: 'thing.event.property.post' })

// raw speaks MQTT 3.1.1 byte by byte: what no library would send goes out as it
// is. login and topics are texts or bytes.
export async function raw(login) {
  const socket = connect(login.port, login.host)
  socket.on('error', () => undefined) // being refused is what some are for
  const heard = []
  let wake = () => undefined
  let over = false
  socket.on('data', (b) => { heard.push(...b); wake() })
  socket.on('close', () => { over = true; wake() })
  const part = (text) => { const b = Buffer.from(text); return Buffer.concat([Buffer.from([b.length >> 8, b.length & 255]), b]) }
  const packet = (first, ...parts) => {
    const body = Buffer.concat(parts)
    const length = []
    for (let n = body.length; ;) { length.push(n > 127 ? (n & 127) | 128 : n); n >>= 7; if (n === 0) break }
    socket.write(Buffer.concat([Buffer.from([first, ...length]), body]))
  }
  // whole is the length of the packet that has come, 0 while it has not.
  const whole = () => {
    let n = 0
    for (let i = 1, unit = 1; i < 5 && i < heard.length; i++, unit *= 128) {
      n += (heard[i] & 127) * unit
      if (heard[i] < 128) return heard.length > i + n ? i + 1 + n : 0
    }
    return 0
  }
  // answer reads one packet, or null where the connection ended.
  const answer = async () => {
    while (!over && whole() === 0) await new Promise((r) => { wake = r })
    return whole() === 0 ? null : heard.splice(0, whole())
  }
  packet(0x10, part('MQTT'), Buffer.from([4, 0xc2, 0, 60]), part(login.clientId), part(login.username), part(login.password))
  const welcome = await answer()
  return {
    accepted: welcome?.[0] === 0x20 && welcome[3] === 0,
    // publish says one message at QoS 1, and whether it was acknowledged.
    publish: async (topic, payload) => {
      packet(0x32, part(topic), Buffer.from([0, 1]), Buffer.from(payload))
      for (;;) {
        const got = await answer()
        if (got === null || got[0] === 0x40) return got !== null
      }
    },
    end: () => new Promise((ended) => { if (over) ended(); else { socket.once('close', ended); socket.end(Buffer.from([0xe0, 0])) } }),
  }
}
