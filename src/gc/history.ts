// The history of a cache for reports: how large it was, and what the gc and the background gc dropped.

import { isIoError } from '../base/errors.js'
import { Counters } from '../counters/counters.js'
import type { StoredEntry } from '../manifest/records.js'
import { blobLength } from '../packs/blob.js'
import type { CycleInput } from './input.js'

export function createHistory({ environment, layout }: Pick<CycleInput, 'environment' | 'layout'>): Counters {
  return new Counters(environment, layout.history, 'history')
}

/** Counts a dropped entry: evicted by a limit or its age, or useless. */
export function countDrop(history: Counters, { entry }: StoredEntry, cause: string): void {
  if (cause !== 'evicted') {
    history.count('day-useless')
    return
  }
  history.count('day-evicted')
  history.count('day-evicted-bytes', blobLength(entry.blob.id))
}

/** Writes the counts, and the cache's size if it is known. A failed write only leaves a gap in the history. */
export function writeHistory(history: Counters, diskBytes = 0): void {
  if (diskBytes > 0) history.count('day-size', diskBytes)
  try {
    history.flush()
  } catch (error) {
    if (!isIoError(error)) throw error
  }
}
