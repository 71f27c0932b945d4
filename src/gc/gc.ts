// A garbage collection that a caller asks for: one cycle, from the first look at the entries to the report. Readers and writers
// go on all the while, in this process as well: between two steps the event loop runs, progress is told, an abort is obeyed,
// and the gc says that it still lives.

import { join } from 'node:path'
import type { GcReport } from '../api/index.js'
import { CacheError } from '../base/errors.js'
import { escapeNamespace, type Layout } from '../base/layout.js'
import type { Files } from '../files/files.js'
import { BlobTable } from './blob-table.js'
import { CensusChoice } from './census-choice.js'
import { Cycle } from './cycle.js'
import { writeHistory } from './history.js'
import type { GcInput } from './input.js'
import { Lock, removeProbes } from './lock.js'
import type { State } from './state.js'

/** A step that rewrites a pack takes about so long. */
const PIECE_MS = 50

/**
 * @throws CacheError `ERR_CACHE_BUSY`, `ERR_CACHE_NAMESPACE`, `ERR_CACHE_ROOT`; errno-style errors; the signal's reason: with
 *   all live entries intact
 */
export async function collect(input: GcInput): Promise<GcReport> {
  const { environment, layout, isDryRun, signal, only } = input
  const { files, random } = environment
  signal?.throwIfAborted()
  assertOwnDirectories(files, layout)
  if (only !== undefined && !files.linkStat(layout.namespace(escapeNamespace(only)))) {
    throw new CacheError('ERR_CACHE_NAMESPACE', `There is no namespace ${JSON.stringify(only)}.`, { value: only })
  }
  if (!files.linkStat(layout.version)) return new CensusChoice(input).report(0)
  if (isDryRun) return run(input, undefined)
  const lock = createLock(files, layout, random)
  if (!(await lock.acquireAfterStep())) throw new CacheError('ERR_CACHE_BUSY', 'Another gc is running on this cache.')
  try {
    // A cycle of the background gc that was under way is done with.
    files.remove(layout.upkeep)
    removeProbes(files, layout.version)
    return await run(input, lock)
  } finally {
    lock.release()
  }
}

/** What a link in the place of a directory leads to is not the cache's, and may hold anything. */
function assertOwnDirectories(files: Files, layout: Layout): void {
  const { version, packs, blobIndex, fileHashes, history, namespaces } = layout
  for (const path of [version, join(packs, '..'), packs, blobIndex, fileHashes, history, namespaces]) {
    const kind = files.linkStat(path)?.kind
    if (kind === undefined || kind === 'directory') continue
    const message = `${path} is a link or a file in the place of a directory; verify with repair moves it away.`
    throw new CacheError('ERR_CACHE_ROOT', message, { value: path })
  }
}

const nextTick = () => new Promise<void>(resolve => setImmediate(resolve))

/** Runs a cycle to its end. */
async function run(input: GcInput, lock: Lock | undefined): Promise<GcReport> {
  const { environment, layout, signal, onProgress } = input
  // Another process may have made the root in this very tick, at whose beginning it was looked at.
  await nextTick()
  environment.tick.current()
  const generation = environment.rootGeneration()
  const choice = new CensusChoice(input)
  const cycle = new Cycle(input, choice, new BlobTable(), PIECE_MS)
  try {
    for (let state: State | undefined = cycle.begin(); state; ) {
      state = cycle.step(state)
      onProgress?.(state ? cycle.progress(state) : { step: 'values', fraction: 1 })
      await nextTick()
      signal?.throwIfAborted()
      environment.tick.current()
      if (environment.rootGeneration() !== generation)
        throw new CacheError('ERR_CACHE_ROOT', `The cache directory ${layout.root} was replaced during a gc.`)
      lock?.keep()
    }
    const report = choice.report(cycle.removedBlobs)
    if (!input.isDryRun) writeHistory(cycle.history, report.diskBytesAfter)
    return report
  } finally {
    cycle.close()
  }
}

export function createLock(files: Files, { gcLock }: Layout, random: () => number): Lock {
  return new Lock(files, gcLock, random)
}
