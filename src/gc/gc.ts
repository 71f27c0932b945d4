// Runs a whole gc cycle for `gc()`. Reads and writes continue, also in this process. Between two steps the event loop
// runs, progress is reported, the signal is checked, and the lock gets its heartbeat.

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

/** The target time for a step that rewrites a pack. */
const PIECE_MS = 50

/**
 * @throws CacheError `ERR_CACHE_BUSY`, `ERR_CACHE_NAMESPACE`, `ERR_CACHE_ROOT`; errno-style errors; the signal's reason: all
 * live entries stay intact
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
    // A cycle of the background gc that was in progress is obsolete.
    files.remove(layout.upkeep)
    removeProbes(files, layout.version)
    return await run(input, lock)
  } finally {
    lock.release()
  }
}

/** Refuses a link in place of a directory: its target doesn't belong to the cache and may hold anything. */
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
  // Another process may have created the root after it was checked at the beginning of this tick.
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
