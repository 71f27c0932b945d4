// One run of both plugins over the files of some directories, in a process that has seen none of them before: nothing
// can come from memory. `run.mjs` starts it twice.
//
//   node analyze.mjs <label> <cache directory> <directory>...
//
// Progress goes to stderr, a RunReport to stdout as JSON.

import { createHash } from 'node:crypto'
import { openCache } from '../dist/index.js'
import { createImportGraph } from './plugins/import-graph.mjs'
import { createOutline } from './plugins/outline.mjs'
import { parseText } from './plugins/parse.mjs'
import { Progress } from './progress.mjs'
import { sourceFilesIn } from './source-files.mjs'
import { countsOf, storedBy } from './tally.mjs'
import { countText, timeText } from './text.mjs'

/** @typedef {import('./tally.mjs').Counts & { fileCount: number, ms: number, parseMs: number }} Effort */
/** @typedef {{ path: string, message: string }} Problem */
/**
 * @typedef {Effort & {
 *   alone: import('./tally.mjs').Stored[],
 *   together: import('./tally.mjs').Stored,
 *   diskBytes: number,
 *   missedCount: number,
 *   missed: string[],
 *   symbolCount: number,
 *   importCount: number,
 *   failures: Problem[],
 *   leftOut: Problem[],
 *   firstTime?: Effort | undefined,
 * }} RunReport
 */

const [label = '', dir = '', ...directories] = process.argv.slice(2)
const paths = sourceFilesIn(directories)
const cache = await openCache({ dir })
let parseMs = 0
/** What is being analyzed. */
let currentPath = ''
/** @type {Set<string>} */
const missed = new Set()
/** @type {Map<string, string>} */
const leftOut = new Map()

const outline = createOutline(cache, timedParse)
const importGraph = createImportGraph(cache, timedParse)
const namespaces = [outline.entries, importGraph.entries]
const before = countsOf(namespaces)

const progress = new Progress(process.stderr, label, paths.length * namespaces.length)
const startMs = performance.now()
let doneCount = 0
const outlines = await analyzeAll(outline)
const graph = await analyzeAll(importGraph)
const ms = performance.now() - startMs
progress.end(`${countText(paths.length)} files in ${timeText(ms)}`)

const symbols = outlines.flatMap(({ result }) => result.symbols)
const imports = graph.flatMap(({ result }) => result.imports)
const failures = graph.flatMap(({ path, result }) => (result.failure ? [{ path, message: result.failure }] : []))
/** @type {Effort} */
const effort = { fileCount: paths.length, ms, parseMs, ...countsOf(namespaces, before) }

// A run that hits cannot tell what that saves it, so the first one over these directories leaves its figures here, in an
// entry that depends on no file. It is about these directories, whatever the project is that this is run in.
const runs = cache.namespace('example-runs', { version: '2', project: false })
const runKey = createHash('sha256').update(directories.join('\0')).digest('hex')
/** @type {Effort | undefined} */
const firstTime = runs.get(runKey)
if (!firstTime) runs.set(runKey, effort)

/** @type {RunReport} */
const report = {
  ...effort,
  ...storedBy(namespaces),
  diskBytes: cache.stats().diskBytes,
  missedCount: missed.size,
  missed: [...missed].slice(0, 3),
  symbolCount: symbols.length,
  importCount: imports.length,
  failures,
  leftOut: Array.from(leftOut, ([path, message]) => ({ path, message })),
  firstTime,
}
console.log(JSON.stringify(report))
cache.close()

/**
 * One plugin over all files, as if it were the only one.
 *
 * @template T
 * @param {{ analyze(path: string): Promise<T> }} plugin
 */
async function analyzeAll(plugin) {
  /** @type {{ path: string, result: T }[]} */
  const results = []
  for (const path of paths) {
    currentPath = path
    try {
      results.push({ path, result: await plugin.analyze(path) })
    } catch (/** @type {any} */ error) {
      // It vanished, it may not be read, or it nests too deeply for the parser's stack: nothing that stops the others.
      if (!(error instanceof RangeError) && !['ENOENT', 'EACCES', 'EPERM'].includes(error.code)) throw error
      leftOut.set(path, error.message)
    }
    await progress.show(++doneCount)
  }
  return results
}

/** @type {typeof parseText} */
async function timedParse(text, suffix) {
  missed.add(currentPath)
  const startMs = performance.now()
  try {
    return await parseText(text, suffix)
  } finally {
    parseMs += performance.now() - startMs
  }
}
