// Devices of the stories: clients that nobody here wrote, with the credentials
// that the console shows.
import { spawn, spawnSync } from 'node:child_process'
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
