// A run of a linter or a build over keys that are all known: each once in a fresh process, then each once more.

import { entriesText } from '../bench.mjs'
import { inTurns } from '../measure.mjs'

export const TABLE = 'CPU of a pass over all keys, in a fresh process'
export const COLUMNS = {
  whole: 'import, open, first pass',
  first: 'first pass',
  second: 'second pass',
  ratio: 'second to first',
}

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const { results, sizes } = bench
  const count = sizes.passes
  bench.log(`  ${entriesText(count)}`)
  await inTurns(bench.peersFor(count), sizes.rounds, ({ name }) => {
    const { opening, first, second } = bench.child('passes', { peer: name, dir: bench.store(name, count), count })
    const add = (/** @type {string} */ column, /** @type {number} */ sample, unit = 'ms', isPeer = true) =>
      results.add({ table: TABLE, column, contender: name, unit, isPeer }, sample)
    add(COLUMNS.whole, opening + first)
    add(COLUMNS.first, first)
    add(COLUMNS.second, second)
    add(COLUMNS.ratio, second / first, '×', false)
  })
}
