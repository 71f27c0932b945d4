// The bars that the library has to clear, as ratios of figures of one run. A stretch is what it aims at.

import { TABLE as DISK, COLUMNS as DISK_COLUMNS, fiveMayTake } from '../cases/disk.mjs'
import { BY_HAND, COLUMNS as FILE_COLUMNS, TABLE as FILES, STAT } from '../cases/files.mjs'
import { TABLE as GC, COLUMNS as GC_COLUMNS } from '../cases/gc.mjs'
import { TABLE as MEMORY } from '../cases/memory.mjs'
import { COLUMNS as PASS_COLUMNS, TABLE as PASSES } from '../cases/passes.mjs'
import { LONG_COLUMNS, LOST, COLUMNS as PROCESS_COLUMNS, TABLE as PROCESSES } from '../cases/processes.mjs'
import { COLUMNS as SET_COLUMNS, TABLE as SETS } from '../cases/sets.mjs'
import { COMMAND, ADDED as START_ADDED, COLUMNS as START_COLUMNS, TABLE as STARTS } from '../cases/starts.mjs'
import { BAR_TREES, COLUMNS as COST_COLUMNS, TABLE as COSTS } from '../cases/trees.mjs'
import { SMALL, COLUMNS as TREE_COLUMNS, TREES } from '../cases/warm.mjs'
import { OURS, SQLITE } from '../peers/list.mjs'

/**
 * @typedef {object} Bar
 * @property {string} what
 * @property {number} [bar] undefined where there is a stretch alone
 * @property {number} [stretch]
 * @property {number} measured the worst, where there are several; NaN where a figure is missing
 * @property {number} [best] where there are several
 * @property {string} unit
 * @property {boolean} isLeast whether more is better
 * @property {boolean} isMet
 * @property {boolean} isStretched
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
  const to = (/** @type {string} */ contender, /** @type {string} */ table, /** @type {string} */ column) =>
    get(table, column) / get(table, column, contender)
  const start = (/** @type {keyof typeof START_COLUMNS} */ column, contender = OURS) =>
    get(STARTS, START_COLUMNS[column], contender)
  const trees = (
    /** @type {string} */ what,
    /** @type {string} */ column,
    /** @type {number} */ limit,
    /** @type {number} */ stretch,
  ) => {
    const measured = BAR_TREES.map(tree => get(COSTS, column, tree))
    return { ...most(what, limit, stretch, Math.max(...measured)), best: Math.min(...measured) }
  }
  return [
    most('fresh process with one get, CPU, to bare node', 1.3, 1.2, start('get')),
    most('the same with Node’s compile cache', 1.22, 1.16, start('keptGet')),
    most('fresh process with one set', 1.4, 1.24, start('set')),
    most('the same with Node’s compile cache', 1.3, 1.19, start('keptSet')),
    most(COMMAND, 1.6, 1.31, start('get', COMMAND)),
    most(
      `what a get adds at ${last(START_ADDED)}, to ${first(START_ADDED)}`,
      1.3,
      undefined,
      get(START_ADDED, last(START_ADDED)) / get(START_ADDED, first(START_ADDED)),
    ),
    most('first pass over all keys in a fresh process, to node:sqlite', 1, 0.7, to(SQLITE, PASSES, PASS_COLUMNS.whole)),
    most('second pass in that process, to the first', 1, undefined, get(PASSES, PASS_COLUMNS.ratio)),
    most('sets of new small values, to node:sqlite', 1, 0.7, to(SQLITE, SETS, SET_COLUMNS.single)),
    most('run over files, nothing changed, to node:sqlite by hand', 1, 0.7, to(BY_HAND, FILES, FILE_COLUMNS.hits)),
    most('the same, to bare stat', undefined, 2.5, to(STAT, FILES, FILE_COLUMNS.hits)),
    trees('syntax trees, warm: set, to parse', COST_COLUMNS.set, 0.7, 0.4),
    trees('syntax trees, warm: get, to parse', COST_COLUMNS.get, 0.4, 0.2),
    trees('first set of a process, to the first parse', COST_COLUMNS.firstSet, 0.3, 0.15),
    trees('first get of a process, to the first parse', COST_COLUMNS.firstGet, 0.2, 0.1),
    trees('bytes of a syntax tree on disk, to its source', COST_COLUMNS.disk, 2.5, 1.5),
    most('warm get of a small summary, to lmdb', 1, 0.5, to('lmdb', SMALL, first(SMALL))),
    most('warm get of an acorn tree, to lmdb', 1, 0.5, to('lmdb', TREES, TREE_COLUMNS.acorn)),
    least(
      'four processes setting and getting at once, to one',
      1,
      1.3,
      get(PROCESSES, PROCESS_COLUMNS[4]) / get(PROCESSES, PROCESS_COLUMNS[1]),
    ),
    least(
      'the same where each goes on five times as long',
      1,
      1.3,
      get(PROCESSES, LONG_COLUMNS[4]) / get(PROCESSES, LONG_COLUMNS[1]),
    ),
    most('entries that four processes lose', 0, undefined, get(LOST, PROCESS_COLUMNS[4]), ''),
    most(
      'disk of five plugins with equal values, to 1.25 times one’s and 120 bytes an entry',
      1,
      undefined,
      get(DISK, DISK_COLUMNS.five) / fiveMayTake(get(DISK, DISK_COLUMNS.one)),
    ),
    most(`memory at ${last(MEMORY)}, above an empty store`, 60, 30, get(MEMORY, last(MEMORY)), 'MB'),
    most('gc, half of the entries dead, to delete and vacuum of node:sqlite', 8, 4, to(SQLITE, GC, GC_COLUMNS.ms)),
    most('misses of a reader during gc', 0, undefined, get(GC, GC_COLUMNS.misses), ''),
  ]
}

/**
 * @param {string} what
 * @param {number | undefined} bar
 * @param {number | undefined} stretch
 * @param {number} measured
 * @returns {Bar}
 */
function most(what, bar, stretch, measured, unit = '×') {
  const isWithin = (/** @type {number | undefined} */ limit) => limit !== undefined && measured <= limit
  return { what, bar, stretch, measured, unit, isLeast: false, isMet: isWithin(bar), isStretched: isWithin(stretch) }
}

/**
 * @param {string} what
 * @param {number} bar
 * @param {number} stretch
 * @param {number} measured
 * @returns {Bar}
 */
function least(what, bar, stretch, measured, unit = '×') {
  return { what, bar, stretch, measured, unit, isLeast: true, isMet: measured >= bar, isStretched: measured >= stretch }
}
