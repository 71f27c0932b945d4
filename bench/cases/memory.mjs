// Resident memory of a process that got 1,000 entries of a large store, above that of one that opened an empty store.

import { entriesText } from '../bench.mjs'
import { inTurns, median } from '../measure.mjs'

export const TABLE = 'Memory after 1,000 scattered gets, above an empty store'
const GETS = 1000

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const { results, sizes } = bench
  for (const count of sizes.entries.slice(-2)) {
    await inTurns(bench.peersFor(count), sizes.rounds, ({ name }) => {
      const dir = bench.path()
      const empty = [1, 2, 3].map(() => bench.child('memory', { peer: name, dir, count, gets: 0 }).megabytes)
      const { megabytes } = bench.child('memory', { peer: name, dir: bench.store(name, count), count, gets: GETS })
      const where = { table: TABLE, column: entriesText(count), contender: name, unit: 'MB' }
      results.add(where, megabytes - median(empty))
    })
  }
}
