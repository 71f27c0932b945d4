// Calls of a namespace that few processes make, kept out of the core file.

import { refuseOption } from '../base/options.js'
import { currentComputation } from '../compute/frame.js'
import { Entries } from '../entries/entries.js'
import { removeEntries } from './setting.js'

/** Entries that find the same values but write nothing: no counts, no uses. */
const silentEntries = new WeakMap<Entries, Entries>()

/** @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED` */
export function peek(entries: Entries, key: string): unknown {
  // `peek` records no input.
  currentComputation()?.recorder.spoil()
  entries.store.assertOpen()
  let silent = silentEntries.get(entries)
  if (!silent) {
    const { store, options, project, hasKeys, isByDirectory } = entries
    silent = new Entries({ ...store, canWrite: false }, options, project ?? (hasKeys ? null : undefined), isByDirectory)
    silentEntries.set(entries, silent)
  }
  const outcome = silent.look(key)
  return outcome.reason === undefined ? outcome.value : undefined
}

/** Returns how many of the keys had an entry. @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED` */
export function deleteMany(entries: Entries, keys: readonly string[]): number {
  if (!Array.isArray(keys)) throw refuseOption('deleteMany takes a list of keys.', keys)
  return removeEntries(entries, keys, 'deleted')
}
