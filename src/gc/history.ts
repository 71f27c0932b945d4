// What the gc and the background gc tell those who look at the cache later: how large it was, and what they dropped.

import { isIoError } from '../base/errors.js'
import { Counters } from '../counters/counters.js'
import type { StoredEntry } from '../manifest/records.js'
import { blobLength } from '../packs/blob.js'
import type { CycleInput } from './input.js'

export function createHistory({ environment, layout }: Pick<CycleInput, 'environment' | 'layout'>): Counters {
  return new Counters(environment, layout.history, 'history')
}

/** Counts an entry that was dropped: because there was too much, it was not used for long, or it was of no use any more. */
export function countDrop(history: Counters, { entry }: StoredEntry, cause: string): void {
  if (cause !== 'evicted') {
    history.count('day-useless')
    return
  }
  history.count('day-evicted')
  history.count('day-evicted-bytes', blobLength(entry.blob.id))
}

/** Writes what was counted, and how large the cache is, where that is known. What can't be written is missing in the history alone. */
export function writeHistory(history: Counters, diskBytes = 0): void {
  if (diskBytes > 0) history.count('day-size', diskBytes)
  try {
    history.flush()
  } catch (error) {
    if (!isIoError(error)) throw error
  }
}
