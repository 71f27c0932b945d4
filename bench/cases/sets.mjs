// Sets of small summaries: one by one, each visible to others when it returns, and in a batch.

import { inTurns } from '../measure.mjs'

export const TABLE = 'Set of a small summary, per entry'
export const COLUMNS = { single: 'a new value', again: 'the value that is there', batched: 'in one batch' }
/** For peers that do the same work for each entry of a batch as for one alone. */
const FEW = 200

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const { results, sizes, corpus } = bench
  await inTurns(bench.peers, sizes.rounds, ({ name, hasBatch }) => {
    const dir = bench.path()
    const batch = hasBatch ? sizes.batch : FEW
    const times = bench.child('sets', { peer: name, dir, corpus, count: sizes.sets, batch, budgetMs: sizes.setsMs })
    for (const [key, column] of Object.entries(COLUMNS)) {
      results.add({ table: TABLE, column, contender: name, unit: 'µs' }, times[key])
    }
    bench.remove(dir)
  })
}
