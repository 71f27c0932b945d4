// Several processes at once on one store, as hooks are: how much they get done together, and whether anything is lost.

import { inTurns } from '../measure.mjs'

export const TABLE = 'Set, get of an own entry, get of another process’s: rounds a second, all processes together'
export const COLUMNS = { 1: 'one process', 4: 'four processes' }
/** The same, of processes that go on for longer. */
export const LONG_COLUMNS = { 1: 'one, five times as long', 4: 'four, five times as long' }
const LONG_FACTOR = 5
const COUNTS = /** @type {const} */ ([1, 4])
export const LOST = 'Entries lost by four processes at once'
/** Of what the others do. */
const SLOW_PART = 20

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const { sizes } = bench
  await inTurns(bench.peersFor(1000), Math.min(3, sizes.rounds), async ({ name, isSlow }) => {
    const count = isSlow ? sizes.contended / SLOW_PART : sizes.contended
    for (const processes of COUNTS) await measure(bench, name, processes, count, COLUMNS[processes])
    if (isSlow) return
    for (const processes of COUNTS) await measure(bench, name, processes, count * LONG_FACTOR, LONG_COLUMNS[processes])
  })
}

/**
 * @param {import('../bench.mjs').Bench} bench
 * @param {string} peer
 * @param {number} processes
 * @param {number} count rounds of each
 * @param {string} column
 */
async function measure(bench, peer, processes, count, column) {
  const { results, corpus } = bench
  const dir = bench.path()
  const args = { peer, dir, corpus, processes, count }
  // The first process makes the store, so that four do not race to create a schema.
  bench.child('fill', { ...args, count: 1 })
  const each = Array.from({ length: processes }, (_, id) => ({ ...args, id }))
  const times = await bench.together('contend', each)
  const ms = Math.max(...times.map(t => t.endedAt)) - Math.min(...times.map(t => t.startedAt))
  const where = { column, contender: peer }
  results.add({ ...where, table: TABLE, unit: '/s', better: 'higher' }, (processes * count * 1000) / ms)
  if (processes > 1) results.add({ ...where, table: LOST, unit: 'entries' }, bench.child('missing', args).missing)
  bench.remove(dir)
}
