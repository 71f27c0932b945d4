// Where the time of our own warm calls goes.

import { inTurns } from '../measure.mjs'

export const TABLE = 'Where the time of a warm call goes, wicked-cache'
const KINDS = /** @type {const} */ ({ summaries: 'small summary', acorn: 'acorn tree', babel: 'Babel tree' })
const ROWS = [
  ['get', 'get'],
  ['look', '– looking up and judging (`has`)'],
  ['rest', '– the rest (below zero: small values are copied, not decoded)'],
  ['decoding', '– decoding, about (`JSON.parse` alone)'],
  ['set', 'set, the value that is there'],
  ['encoding', '– encoding, about (`JSON.stringify` alone)'],
]

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const { results, sizes, corpus } = bench
  const counts = { summaries: 1000, acorn: sizes.trees, babel: Math.ceil(sizes.trees / 5) }
  await inTurns(/** @type {(keyof typeof KINDS)[]} */ (Object.keys(KINDS)), Math.min(5, sizes.rounds), kind => {
    const dir = bench.path()
    const times = bench.child('parts', { dir, corpus, kind, count: counts[kind], budgetMs: sizes.budgetMs })
    times.rest = times.get - times.look - times.decoding
    for (const [key = '', contender = ''] of ROWS) {
      results.add({ table: TABLE, column: KINDS[kind], contender, unit: 'µs', isPeer: false }, times[key])
    }
    bench.remove(dir)
  })
}
