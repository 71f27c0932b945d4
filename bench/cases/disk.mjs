// Disk for one plugin's analyses, and for five plugins that hold the same ones.

import { diskBytes } from '../bench.mjs'

export const TABLE = 'Disk, per analysis'
export const COLUMNS = { one: 'one plugin', five: 'five plugins, the same values' }

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const { results, sizes, corpus } = bench
  for (const { name, maxEntries } of bench.peersFor(1)) {
    const count = Math.min(sizes.disk, maxEntries)
    for (const [column, names] of /** @type {const} */ ([
      [COLUMNS.one, ['a']],
      [COLUMNS.five, ['a', 'b', 'c', 'd', 'e']],
    ])) {
      const dir = bench.path()
      bench.child('fill', { peer: name, dir, corpus, count, names })
      results.add({ table: TABLE, column, contender: name, unit: 'bytes' }, diskBytes(dir) / count)
      bench.remove(dir)
    }
  }
}

/** Bytes that five plugins may take, per analysis, when one takes so many: see the bars. */
export const fiveMayTake = (/** @type {number} */ one) => 1.25 * one + 4 * 120
