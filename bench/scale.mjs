// What grows with a cache: the time of a set by the number of namespaces, and a gc after a clear by the number of entries.
//
//   node bench/scale.mjs namespaces 20 2000 20000
//   node bench/scale.mjs clear 1000000
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCacheSync } from '../dist/index.js'

const SETS = 500
const [what, ...counts] = process.argv.slice(2)
const kinds = { namespaces, clear }
const kind = kinds[what]
if (!kind || counts.length === 0)
  throw new Error(`What is measured must be one of ${Object.keys(kinds).join(', ')}, with counts.`)
for (const count of counts.map(Number)) {
  const root = mkdtempSync(join(tmpdir(), 'wicked-cache-scale-'))
  try {
    await kind(join(root, 'cache'), count)
  } finally {
    rmSync(root, { recursive: true })
  }
}

async function namespaces(dir, count) {
  const cache = openCacheSync({ dir })
  const handleOf = n => cache.namespace(`plugin ${n}`, { project: false })
  for (let n = 0; n < count; n++) handleOf(n).set('key', { n })
  const times = []
  for (let n = 0; n < SETS; n++) {
    const handle = handleOf((n * 7919) % count)
    const begin = performance.now()
    if (!handle.set(`key ${n}`, { n })) throw new Error('A set stored nothing.')
    times.push(performance.now() - begin)
    // As a host does, and as the upkeep in the background needs.
    await new Promise(resolve => setImmediate(resolve))
  }
  times.sort((a, b) => a - b)
  const at = share => times[Math.min(SETS - 1, Math.floor(SETS * share))].toFixed(2)
  console.log(`${count} namespaces: set median ${at(0.5)} ms, 99 % ${at(0.99)} ms, slowest ${at(1)} ms`)
  cache.close()
}

async function clear(dir, count) {
  const cache = openCacheSync({ dir })
  const entries = cache.namespace('entries', { project: false })
  const BATCH = 10_000
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first)
    entries.setMany(Array.from({ length: size }, (_, n) => ({ key: `key ${first + n}`, value: { n: first + n } })))
  }
  const begin = performance.now()
  const cleared = entries.clear()
  const between = performance.now()
  await cache.gc()
  const end = performance.now()
  console.log(
    `${cleared} entries: clear ${(between - begin).toFixed(0)} ms, gc after it ${(end - between).toFixed(0)} ms`,
  )
  cache.close()
}
