// What an adapter costs: its bytes, and the CPU time of loading it, besides the library. Medians of 21 processes. Prints the table of
// docs/hosts.md:
//
//   npm run build && node test/hosts/measure-loads.mjs
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const RUNS = 21
const dist = join(import.meta.dirname, '..', '..', 'dist')
const adapters = readdirSync(join(dist, 'adapters')).filter(name => name.endsWith('.cjs'))

const PROGRAM = `
const { openCacheSync } = require(process.argv[1] + '/index.cjs')
const start = process.cpuUsage()
require(process.argv[1] + '/adapters/' + process.argv[2])
const { user, system } = process.cpuUsage(start)
console.log(user + system)`
const cpuUs = name => Number(execFileSync(process.execPath, ['-e', PROGRAM, dist, name], { encoding: 'utf8' }))
const median = list => list.toSorted((one, other) => one - other)[list.length >> 1]

console.log('| adapter | bytes | to load it |\n| --- | ---: | ---: |')
for (const name of adapters) {
  const { size } = statSync(join(dist, 'adapters', name))
  const loadMs = median(Array.from({ length: RUNS }, () => cpuUs(name))) / 1000
  console.log(
    `| \`wicked-cache/${name.replace('.cjs', '')}\` | ${size.toLocaleString('en')} | ${loadMs.toFixed(1)} ms |`,
  )
}
