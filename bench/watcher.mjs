// Figures of a watcher on 5,000 files with an entry each: `npm run build && node bench/watcher.mjs`. Memory is above that
// of the same process before it watches; the delay is from a write to the event of the drop; CPU is over 10 s in which
// nothing happens.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openCacheSync } from '../dist/index.js'

const FILES = 5000
const WRITES = 100
const IDLE_MS = 10_000

const work = mkdtempSync(join(tmpdir(), 'wicked-cache-bench-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))
const files = Array.from({ length: FILES }, (_, i) => join(work, 'tree', `dir${i % 50}`, `sub${i % 4}`, `file${i}.js`))
for (const file of files) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `export const name = ${JSON.stringify(file)}\n`)
}
const cache = openCacheSync({ dir: join(work, 'cache') })
const entries = cache.namespace('bench')
entries.setMany(files.map(file => ({ key: file, value: { file }, files: [file] })))

const megabytes = () => {
  globalThis.gc?.()
  return process.memoryUsage().rss / 1e6
}
const quantile = (numbers, share) => [...numbers].sort((a, b) => a - b)[Math.ceil(numbers.length * share) - 1]
const show = (name, value, unit) => console.log(`${name.padEnd(32)} ${value.toFixed(1).padStart(8)} ${unit}`)

const before = megabytes()
const start = performance.now()
const watcher = cache.watch(join(work, 'tree'), { persistent: true })
await watcher.ready
show('ready', performance.now() - start, 'ms')
show('memory', megabytes() - before, 'MB')

// What was written lately is read again until its times can tell a change.
await pause(6000)
const cpu = process.cpuUsage()
await pause(IDLE_MS)
const { user, system } = process.cpuUsage(cpu)
show('CPU when idle', (user + system) / 10 / IDLE_MS, '%')
show('memory after that', megabytes() - before, 'MB')

const delays = []
for (let i = 0; i < WRITES; i++) {
  const written = performance.now()
  writeFileSync(files[i * 7], 'changed')
  await once(watcher, 'invalidate')
  delays.push(performance.now() - written)
}
show('delay, median', quantile(delays, 0.5), 'ms')
show('delay, longest of 100', quantile(delays, 1), 'ms')

const burst = performance.now()
for (const file of files) writeFileSync(file, 'changed again')
while (watcher.status().entryCount > 0) await once(watcher, 'update')
show('all written at once, until dropped', performance.now() - burst, 'ms')
cache.close()
