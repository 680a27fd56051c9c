// Leaves each built file as gzip only: so it goes into the binary and over the
// wire. The few clients that take no gzip have it unpacked by the server.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

let before = 0
let after = 0
function walk(dir) {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name)
    if (statSync(path).isDirectory()) {
      walk(path)
    } else if (name !== 'README' && !name.endsWith('.gz')) {
      const raw = readFileSync(path)
      const packed = gzipSync(raw, { level: 9 })
      writeFileSync(path + '.gz', packed)
      rmSync(path)
      before += raw.length
      after += packed.length
    }
  }
}
walk('dist')
console.log(`${(before / 1e6).toFixed(1)} MB built, ${(after / 1e6).toFixed(1)} MB compressed`)
