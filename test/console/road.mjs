// A way to the server that a story cuts and mends: what a visitor meets when the
// server is away for a while.
import { connect, createServer } from 'node:net'
import { address } from './house.mjs'

// A road leads to the server until it is cut, and again when it is mended.
export async function road() {
  const { hostname, port } = new URL(address)
  const open = new Set()
  const server = createServer((from) => {
    const to = connect(port, hostname)
    for (const [s, other] of [[from, to], [to, from]]) {
      open.add(s)
      s.on('close', () => { open.delete(s); other.destroy() })
      s.on('error', () => s.destroy())
      s.pipe(other)
    }
  })
  const listen = (at) => new Promise((ready) => server.listen(at, '127.0.0.1', ready))
  await listen(0)
  const { port: own } = server.address()
  return {
    at: `http://127.0.0.1:${own}`,
    cut: () => new Promise((done) => { server.close(done); for (const s of open) s.destroy() }),
    mend: () => listen(own),
  }
}
