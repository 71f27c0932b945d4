// Giving space back when half of the entries have expired: our gc beside SQLite's delete and vacuum, and what a process
// that reads meanwhile notices.

import { diskBytes } from '../bench.mjs'
import { inTurns } from '../measure.mjs'

export const TABLE = 'Giving back the space of expired entries, half of them expired'
export const COLUMNS = {
  ms: 'time',
  disk: 'disk afterwards, part of before',
  misses: 'misses of a reader meanwhile',
  longest: 'its longest get',
}
/** lmdb files never shrink, flat-cache writes itself anew anyway; keyv and cacache hold too few entries to compare. */
const CONTENDERS = ['wicked-cache', 'node:sqlite', 'better-sqlite3']

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const { results, sizes, corpus } = bench
  const count = sizes.collected
  const contenders = CONTENDERS.filter(name => bench.peers.some(peer => peer.name === name))
  await inTurns(contenders, Math.min(5, sizes.rounds), async name => {
    const dir = bench.path()
    const args = { peer: name, dir, corpus, count }
    bench.child('fill-dying', args)
    const before = diskBytes(dir)
    const reader = bench.start('watch-gets', args)
    await reader.ready
    const collector = bench.start('collect', args)
    const { ms } = await collector.result
    reader.child.send('stop')
    const { misses, longestMs } = await reader.result
    const add = (/** @type {string} */ column, /** @type {number} */ sample, unit = '') =>
      results.add({ table: TABLE, column, contender: name, unit }, sample)
    add(COLUMNS.ms, ms, 'ms')
    add(COLUMNS.disk, diskBytes(dir) / before)
    add(COLUMNS.misses, misses)
    add(COLUMNS.longest, longestMs, 'ms')
    bench.remove(dir)
  })
}
