// What the picture shows: the six figures that a plugin's author asks for first.

import { COLUMNS as FILE_COLUMNS, TABLE as FILES } from '../cases/files.mjs'
import { ADDED } from '../cases/fresh.mjs'
import { COLUMNS as SET_COLUMNS, TABLE as SETS } from '../cases/sets.mjs'
import { SMALL, COLUMNS as TREE_COLUMNS, TREES } from '../cases/warm.mjs'
import { OURS } from '../peers/list.mjs'

/**
 * @param {import('../measure.mjs').Results} results
 * @returns {import('./chart.mjs').Panel[]}
 */
export function panelsOf(results) {
  const first = (/** @type {string} */ table) => results.columns(table)[0] ?? ''
  const wanted = [
    { title: 'Fresh process with one get: what it adds', table: ADDED, column: first(ADDED) },
    { title: 'Warm get, small summary', table: SMALL, column: first(SMALL) },
    { title: 'Warm get, acorn tree', table: TREES, column: TREE_COLUMNS.acorn },
    { title: 'Set, new small summary', table: SETS, column: SET_COLUMNS.single },
    { title: 'The same in one batch, each', table: SETS, column: SET_COLUMNS.batched },
    { title: 'Run over files, nothing changed', table: FILES, column: FILE_COLUMNS.hits },
  ]
  return wanted.flatMap(({ title, table, column }) => {
    const lines = results.lines.filter(line => line.table === table && line.column === column)
    const unit = lines[0]?.unit ?? ''
    const bars = lines.map(({ contender }) => ({
      name: contender,
      value: results.median(table, column, contender) ?? 0,
      isOurs: contender === OURS,
    }))
    return bars.length === 0 ? [] : [{ title, unit, bars: bars.sort((a, b) => a.value - b.value) }]
  })
}
