// A hook: a fresh process that gets or sets something and exits. Whole processes, timed from outside, each right after a bare
// `node` on an empty module; then the phases from inside. `starts` has their CPU time.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { entriesText } from '../bench.mjs'
import { keyAt, valueAt } from '../corpus/entries.mjs'
import { inTurns } from '../measure.mjs'
import { adapterOf, fileNameOf } from '../peers/list.mjs'

export const BARE = 'bare node'
export const ADDED = 'What one get adds to bare node, by the number of entries'
const TABLES = { get: 'Fresh process: one get', more: 'Fresh process: ten gets', set: 'Fresh process: one set' }

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const empty = join(bench.work, 'empty.mjs')
  writeFileSync(empty, '')
  for (const count of bench.sizes.entries) await measure(bench, count, empty)
}

/** @param {import('../bench.mjs').Bench} bench @param {number} count @param {string} empty */
async function measure(bench, count, empty) {
  const { results, sizes } = bench
  const column = entriesText(count)
  const keys = Array.from({ length: 10 }, (_, i) => keyAt(Math.floor(((i + 0.5) * count) / 10)))
  const peers = await Promise.all(
    bench.peersFor(count).map(async ({ name }) => {
      const dir = bench.store(name, count)
      const { isAsync } = await import(adapterOf(name))
      return { name, dir, scripts: scriptsFor(bench.work, { name, isAsync, dir, count, keys }) }
    }),
  )
  for (const operation of /** @type {const} */ (['get', 'more', 'set'])) {
    // Only a get is a question of the number of entries.
    if (operation !== 'get' && count !== sizes.entries[0]) continue
    const table = TABLES[operation]
    await inTurns(peers, sizes.freshRounds, ({ name, scripts }, round) => {
      const bareMs = wallMs([empty])
      results.add({ table, column, contender: BARE, unit: 'ms', isPeer: false }, bareMs)
      const ms = wallMs([scripts[operation], `new-${count}-${round}-${name}`])
      results.add({ table, column, contender: name, unit: 'ms' }, ms)
      if (operation === 'get') results.add({ table: ADDED, column, contender: name, unit: 'ms' }, ms - bareMs)
    })
  }
  const table = `Where a fresh process spends its time, from inside, at ${column}`
  await inTurns(peers, sizes.rounds, ({ name, dir }) => {
    const phases = bench.child('phases', { peer: name, dir, keys })
    for (const [phase, column] of PHASES) results.add({ table, column, contender: name, unit: 'ms' }, phases[phase])
  })
}

const PHASES = [
  ['import', 'import'],
  ['open', 'open'],
  ['first', 'first get'],
  ['more', 'nine more gets'],
]

/**
 * One small module for each operation, as a hook would be; it exits with 1 on a miss.
 *
 * @param {string} work
 * @param {{ name: string, isAsync: boolean, dir: string, count: number, keys: string[] }} store
 */
function scriptsFor(work, { name, isAsync, dir, count, keys }) {
  const wait = isAsync ? 'await ' : ''
  const opening = `import { open } from ${JSON.stringify(adapterOf(name))}
const store = ${wait}open(${JSON.stringify(dir)})
`
  const get = (/** @type {string[]} */ wanted) =>
    `for (const key of ${JSON.stringify(wanted)}) if ((${wait}store.get(key)) === undefined) process.exit(1)\n`
  const value = JSON.stringify(valueAt([{ imports: ['node:fs', './a.js'], exports: ['run'] }], count))
  const bodies = {
    get: get(keys.slice(5, 6)),
    more: get(keys),
    set: `${wait}store.set(process.argv[2], { ...${value}, run: process.argv[2] })\n`,
  }
  const write = (/** @type {string} */ operation, /** @type {string} */ body) => {
    const path = join(work, `${operation}-${fileNameOf(name)}-${count}.mjs`)
    writeFileSync(path, opening + body)
    return path
  }
  return { get: write('get', bodies.get), more: write('more', bodies.more), set: write('set', bodies.set) }
}

/** @param {string[]} args */
function wallMs(args) {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args)
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}:\n${stderr}`)
  return performance.now() - start
}
