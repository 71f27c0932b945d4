// A lint run in file mode over real sources: nothing is known, nothing has changed, 1 % has changed.

import { appendFileSync, copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { sourcePaths } from '../corpus/sources.mjs'
import { inTurns } from '../measure.mjs'
import { SQLITE } from '../peers/list.mjs'

export const TABLE = 'A run over files, each bound to its source'
export const COLUMNS = { misses: 'all misses', hits: 'nothing changed', changed: '1 % changed' }
export const STAT = 'bare stat'
export const BY_HAND = 'node:sqlite by hand'
const CONTENDERS = [STAT, 'wicked-cache', BY_HAND, 'file-entry-cache', 'file-entry-cache, by content']
/** Of a file that is younger, a fingerprint cannot tell by its times whether it will change again. */
const SETTLED_MS = 2500

/** @param {import('../bench.mjs').Bench} bench */
export async function run(bench) {
  const { results, sizes, corpus } = bench
  const sources = copySources(join(bench.work, 'sources'), sizes.files)
  const paths = join(bench.work, 'sources.json')
  writeFileSync(paths, JSON.stringify(sources))
  await settled(sources)
  const hasSqlite = bench.peers.some(({ name }) => name === SQLITE)
  const contenders = CONTENDERS.filter(name => hasSqlite || name !== BY_HAND)
  const dirs = new Map(contenders.map(name => [name, bench.path()]))
  /** @param {string} contender @param {string} column @param {string | undefined} dir @param {number} expectedHits */
  const lint = (contender, column, dir, expectedHits) => {
    const { ms, hits } = bench.child('lint', { contender, dir, corpus, paths })
    const isPeer = contender !== STAT
    if (isPeer && hits !== expectedHits) throw new Error(`${contender}: ${hits} hits, not ${expectedHits} (${column}).`)
    results.add({ table: TABLE, column, contender, unit: 'ms', isPeer }, ms)
  }
  await inTurns(contenders.slice(1), Math.min(5, sizes.rounds), contender => {
    bench.remove(dirs.get(contender) ?? '')
    lint(contender, COLUMNS.misses, dirs.get(contender), 0)
  })
  await inTurns(contenders, 2 * sizes.rounds, contender => {
    lint(contender, COLUMNS.hits, dirs.get(contender), sources.length)
  })
  const changed = sources.filter((_, i) => i % 100 === 0)
  for (let round = 0; round < sizes.rounds; round++) {
    for (const path of changed) appendFileSync(path, `\n// edit ${round}`)
    await settled(changed)
    await inTurns(contenders, 1, contender => {
      lint(contender, COLUMNS.changed, dirs.get(contender), sources.length - changed.length)
    })
  }
}

/** @param {string} directory @param {number} count */
function copySources(directory, count) {
  const sources = sourcePaths().slice(0, count)
  if (sources.length < count) throw new Error(`There are ${sources.length} source files, not ${count}.`)
  return sources.map((source, i) => {
    const below = join(directory, `package-${i % 40}`, `src-${i % 7}`)
    mkdirSync(below, { recursive: true })
    const path = join(below, `file-${i}.js`)
    copyFileSync(source, path)
    return path
  })
}

/** @param {readonly string[]} paths */
async function settled(paths) {
  const youngest = Math.max(...paths.map(path => statSync(path).ctimeMs))
  await setTimeout(Math.max(0, youngest + SETTLED_MS - Date.now()))
}
