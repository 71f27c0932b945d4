// Several processes at once on one store, as hooks are: how much they get done together, and whether anything is lost.

import { inTurns } from '../measure.mjs'

export const TABLE = 'Set, get of an own entry, get of another process’s: rounds a second, all processes together'
export const COLUMNS = { 1: 'one process', 4: 'four processes' }
export const LOST = 'Entries lost by four processes at once'
/** Of what the others do. */
const SLOW_PART = 20

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const { results, sizes, corpus } = bench
  const peers = bench.peersFor(1000)
  await inTurns(peers, Math.min(3, sizes.rounds), async ({ name, isSlow }) => {
    const count = isSlow ? sizes.contended / SLOW_PART : sizes.contended
    for (const [processes, column] of /** @type {const} */ ([
      [1, COLUMNS[1]],
      [4, COLUMNS[4]],
    ])) {
      const dir = bench.path()
      const args = { peer: name, dir, corpus, processes, count }
      // The first process makes the store, so that four do not race to create a schema.
      bench.child('fill', { ...args, count: 1 })
      const times = await bench.together(
        'contend',
        Array.from({ length: processes }, (_, id) => ({ ...args, id })),
      )
      const ms = Math.max(...times.map(t => t.endedAt)) - Math.min(...times.map(t => t.startedAt))
      const where = { column, contender: name }
      results.add({ ...where, table: TABLE, unit: '/s', better: 'higher' }, (processes * count * 1000) / ms)
      if (processes > 1) results.add({ ...where, table: LOST, unit: 'entries' }, bench.child('missing', args).missing)
      bench.remove(dir)
    }
  })
}
