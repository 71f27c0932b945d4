// The bars that the store has to clear, as ratios of figures of one run.

import { TABLE as DISK, COLUMNS as DISK_COLUMNS, fiveMayTake } from '../cases/disk.mjs'
import { COLUMNS as FILE_COLUMNS, TABLE as FILES, STAT } from '../cases/files.mjs'
import { ADDED, RATIO } from '../cases/fresh.mjs'
import { TABLE as GC, COLUMNS as GC_COLUMNS } from '../cases/gc.mjs'
import { TABLE as MEMORY } from '../cases/memory.mjs'
import { LONG_COLUMNS, LOST, COLUMNS as PROCESS_COLUMNS, TABLE as PROCESSES } from '../cases/processes.mjs'
import { COLUMNS as SET_COLUMNS, TABLE as SETS } from '../cases/sets.mjs'
import { SMALL, COLUMNS as TREE_COLUMNS, TREES } from '../cases/warm.mjs'
import { OURS } from '../peers/list.mjs'

/**
 * @typedef {object} Bar
 * @property {string} what
 * @property {string} bar
 * @property {number} measured NaN where a figure is missing
 * @property {string} unit
 * @property {boolean} isMet
 */

/**
 * @param {import('../measure.mjs').Results} results
 * @returns {Bar[]}
 */
export function bars(results) {
  const get = (/** @type {string} */ table, /** @type {string} */ column, contender = OURS) =>
    results.median(table, column, contender) ?? Number.NaN
  const first = (/** @type {string} */ table) => results.columns(table)[0] ?? ''
  const last = (/** @type {string} */ table) => results.columns(table).at(-1) ?? ''
  const toLmdb = (/** @type {string} */ table, /** @type {string} */ column) =>
    get(table, column) / get(table, column, 'lmdb')
  const most = (
    /** @type {string} */ what,
    /** @type {number} */ limit,
    /** @type {number} */ measured,
    unit = '×',
  ) => ({
    what,
    bar: `at most ${limit} ${unit}`.trimEnd(),
    measured,
    unit,
    isMet: measured <= limit,
  })
  const least = (
    /** @type {string} */ what,
    /** @type {number} */ limit,
    /** @type {number} */ measured,
    unit = '×',
  ) => ({
    what,
    bar: `at least ${limit} ${unit}`.trimEnd(),
    measured,
    unit,
    isMet: measured >= limit,
  })
  const small = first(SMALL)
  return [
    most('fresh process with one get, to bare node', 1.2, get(RATIO, first(RATIO))),
    most('what that adds, to what lmdb adds', 0.33, toLmdb(ADDED, first(ADDED))),
    most(`what it adds at ${last(ADDED)}, to ${first(ADDED)}`, 1.3, get(ADDED, last(ADDED)) / get(ADDED, first(ADDED))),
    most('warm get of a small summary, to lmdb', 1, toLmdb(SMALL, small)),
    most('warm get of an acorn tree, to lmdb', 1, toLmdb(TREES, TREE_COLUMNS.acorn)),
    most('set of a new small value, to lmdb `putSync`', 1, toLmdb(SETS, SET_COLUMNS.single)),
    least('single sets, to a batch of them', 3, get(SETS, SET_COLUMNS.single) / get(SETS, SET_COLUMNS.batched)),
    most(
      'file-mode run, nothing changed, to bare stat',
      2,
      get(FILES, FILE_COLUMNS.hits) / get(FILES, FILE_COLUMNS.hits, STAT),
    ),
    least(
      'throughput of four processes, to one',
      1,
      get(PROCESSES, PROCESS_COLUMNS[4]) / get(PROCESSES, PROCESS_COLUMNS[1]),
    ),
    least(
      'the same where each goes on five times as long',
      1,
      get(PROCESSES, LONG_COLUMNS[4]) / get(PROCESSES, LONG_COLUMNS[1]),
    ),
    most('entries that four processes lose', 0, get(LOST, PROCESS_COLUMNS[4]), ''),
    most(
      'disk of five plugins with equal values, to 1.25 times one’s and 120 bytes an entry',
      1,
      get(DISK, DISK_COLUMNS.five) / fiveMayTake(get(DISK, DISK_COLUMNS.one)),
    ),
    most(`memory at ${last(MEMORY)}, above an empty store`, 60, get(MEMORY, last(MEMORY)), 'MB'),
    most('gc, half of the entries dead', 2000, get(GC, GC_COLUMNS.ms), 'ms'),
    most('misses of a reader during gc', 0, get(GC, GC_COLUMNS.misses), ''),
  ]
}
