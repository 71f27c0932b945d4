// A lint run or a server: gets in a process that has been at it for a while.

import { entriesText } from '../bench.mjs'
import { inTurns } from '../measure.mjs'

export const SMALL = 'Warm get of a small summary'
export const TREES = 'Warm get of a syntax tree'
export const TURNS = 'Warm get of a small summary, each in an event-loop turn of its own'
export const PARSING = 'parsing again'
export const COLUMNS = { acorn: 'acorn', babel: 'Babel' }

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const { results, sizes, corpus } = bench
  const { budgetMs, rounds, trees } = sizes
  for (const count of sizes.entries.slice(0, 2)) {
    await inTurns(bench.peersFor(count), rounds, ({ name }) => {
      const { us } = bench.child('gets', { peer: name, dir: bench.store(name, count), count, budgetMs })
      results.add({ table: SMALL, column: entriesText(count), contender: name, unit: 'µs' }, us)
    })
  }
  for (const count of sizes.entries.slice(0, 1)) {
    await inTurns(bench.peersFor(count), rounds, ({ name }) => {
      const { us } = bench.child('turns', { peer: name, dir: bench.store(name, count), count, budgetMs })
      results.add({ table: TURNS, column: entriesText(count), contender: name, unit: 'µs' }, us)
    })
  }
  for (const kind of /** @type {const} */ (['acorn', 'babel'])) {
    const count = kind === 'acorn' ? trees : Math.ceil(trees / 5)
    const where = { table: TREES, column: COLUMNS[kind], unit: 'µs' }
    await inTurns([{ name: PARSING }, ...bench.peersFor(count)], rounds, ({ name }) => {
      if (name === PARSING) {
        const { us } = bench.child('parse', { corpus, kind, budgetMs })
        results.add({ ...where, contender: name, isPeer: false }, us)
        return
      }
      const { us } = bench.child('gets', { peer: name, dir: bench.store(name, count, kind), count, budgetMs })
      results.add({ ...where, contender: name }, us)
    })
  }
}
