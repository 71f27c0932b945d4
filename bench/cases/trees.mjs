// Does caching syntax trees pay? Trees of real parsers beside parsing the same source anew.

import { PARSERS } from '../corpus/parsers.mjs'
import { inTurns, median } from '../measure.mjs'

export const TABLE = 'Syntax trees, times parsing the source anew'
export const COLUMNS = {
  source: 'source',
  parse: 'parse',
  set: 'set',
  get: 'get',
  firstSet: 'first set, to first parse',
  firstGet: 'first get, to first parse',
  disk: 'disk, to source',
}
const PARTS = {
  jsonSize: 'JSON, to source',
  jsonWrite: 'JSON: write',
  jsonRead: 'JSON: read',
  v8Write: 'node:v8: write',
  v8Read: 'node:v8: read',
}
/** Trees that the bars count: of the common parsers, of sources of 5 to 250 KB. */
export const BAR_TREES = PARSERS.filter(({ isBar }) => isBar).flatMap(({ name, files }) =>
  files.map(file => titleOf(name, file)),
)

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const { results, sizes } = bench
  const trees = PARSERS.flatMap(({ name, files }) => files.map(file => ({ name, file, dir: bench.path() })))
  await inTurns(trees, sizes.treeRounds, ({ name, file, dir }) => {
    const contender = titleOf(name, file)
    const add = (/** @type {string} */ column, /** @type {number} */ sample, unit = '×') =>
      results.add({ table: TABLE, column, contender, unit, isPeer: false }, sample)
    const warm = bench.child('tree-warm', { name, file, dir: `${dir}/warm`, budgetMs: sizes.treeMs })
    bench.remove(`${dir}/warm`)
    const { sourceBytes, bytes, jsonBytes, ms } = warm
    add(COLUMNS.source, sourceBytes / 1024, 'KB')
    add(COLUMNS.parse, ms.parse, 'ms')
    add(COLUMNS.set, ms.set / ms.parse)
    add(COLUMNS.get, ms.get / ms.parse)
    const first = { parse: 0, set: 0, get: 0 }
    for (const operation of /** @type {(keyof typeof first)[]} */ (Object.keys(first))) {
      const times = Array.from({ length: sizes.treeFirsts }, () => {
        return bench.child('tree-first', { name, file, dir: `${dir}/first`, operation }).ms
      })
      first[operation] = median(times)
    }
    bench.remove(`${dir}/first`)
    add(COLUMNS.firstSet, first.set / first.parse)
    add(COLUMNS.firstGet, first.get / first.parse)
    add(COLUMNS.disk, bytes / sourceBytes)
    if (jsonBytes) add(PARTS.jsonSize, jsonBytes / sourceBytes)
    for (const part of /** @type {const} */ (['jsonWrite', 'jsonRead', 'v8Write', 'v8Read'])) {
      if (ms[part] !== undefined) add(PARTS[part], ms[part] / ms.parse)
    }
  })
}

/** @param {string} name @param {string} file */
function titleOf(name, file) {
  return `${name}: ${file.split('/').at(-1)}`
}
