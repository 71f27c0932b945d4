// Setting and removing entries by their keys.

import type { ClearOptions, SetManyEntry, SetOptions } from '../api/index.js'
import { assertFlag, assertOptions } from '../base/options.js'
import type { Entries } from '../entries/entries.js'
import type { Item } from '../entries/write.js'
import type { Snapshot } from '../inputs/snapshot.js'
import type { RemovalCause } from '../manifest/entry.js'
import type { KeyParts } from '../manifest/key-parts.js'
import type { Manifest } from '../manifest/manifest.js'
import type { EntryKey } from '../manifest/records.js'
import { inputsOf } from './declared-files.js'
import { assertPrefix, beginsWith, belongsTo } from './owned.js'
import { assertEntries, checkSetManyEntry, checkSetOptions, type Lifetime } from './set-options.js'

/**
 * Returns whether the value was stored. @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED`, and those
 * of values
 */
export function setEntry(entries: Entries, key: string, value: unknown, options: SetOptions | undefined): boolean {
  const { store } = entries
  const lifetime = checkSetOptions(store.environment.files, options)
  const bytes = entries.encoder.encodeValue(value)
  return entries.set([itemOf(entries, key, lifetime, bytes, () => store.snapshot())]) > 0
}

/** Returns how many were stored. @throws like `set` */
export function setEntries(entries: Entries, list: Iterable<SetManyEntry>): number {
  const { store } = entries
  let snapshot: Snapshot | undefined
  // One snapshot for all items: a file that several entries name is checked once.
  const snapshotOf = () => {
    snapshot ??= store.snapshot()
    return snapshot
  }
  const items = assertEntries(list).map(entry => {
    const lifetime = checkSetManyEntry(store.environment.files, entry)
    return itemOf(entries, entry.key, lifetime, Buffer.from(entries.encoder.encodeValue(entry.value)), snapshotOf)
  })
  return entries.set(items)
}

function itemOf(
  entries: Entries,
  key: string,
  { ttlMs, files }: Lifetime,
  bytes: Uint8Array,
  snapshotOf: () => Snapshot,
): Item {
  const inputs = files && inputsOf(entries, files, snapshotOf())
  return { key: entries.keyOf(key), bytes, ttlMs, inputs }
}

/**
 * Returns how many of the keys had an entry. A key may be listed twice. @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED`
 */
export function removeEntries(entries: Entries, keys: readonly string[], cause: RemovalCause): number {
  const { store, options } = entries
  const asked = [...new Set(keys)].map(key => ({
    set: entries.keyOf(key),
    computed: options.isPortable ? entries.keyOf(key, 'plain', 'portable') : undefined,
  }))
  let count = 0
  const isDone = entries.write(() => {
    const { manifest } = store
    const taken: EntryKey[] = []
    const empty: EntryKey[] = []
    for (const { set, computed } of asked) {
      const { head } = manifest.look(set)
      const computedHead = computed && manifest.look(computed).head
      if (head?.entry || computedHead?.entry) count++
      // A running computation of the key must become void, and older answers of other machines as well.
      if (head) (head.entry ? taken : empty).push(set)
      if (computed && (computedHead || store.remote())) (computedHead?.entry ? taken : empty).push(computed)
    }
    manifest.write(taken.map(key => ({ key, removal: { cause } })))
    for (const key of empty) removeEmpty(manifest, key, cause)
  })
  return isDone ? count : 0
}

/**
 * Voids running computations of a key without an entry. An entry that is set meanwhile stays, since the caller was told that
 * there was none.
 */
function removeEmpty(manifest: Manifest, key: EntryKey, cause: RemovalCause): void {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const { entry, check } = manifest.look(key)
    if (entry || manifest.swap({ key, removal: { cause } }, check)) return
  }
}

/** How often to retry when other processes change the same head. Failing more often is not a race. */
const MAX_ATTEMPTS = 100

/** Returns how many entries there were. @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_CLOSED` */
export function clearEntries(entries: Entries, options: ClearOptions | undefined): number {
  const { allProjects = false, prefix } = assertOptions('clear', options, ['allProjects', 'prefix'])
  assertFlag('allProjects', allProjects)
  assertPrefix(prefix)
  entries.store.assertOpen()
  let count = 0
  entries.write(() => {
    const { manifest } = entries.store
    const isChosen = (parts: KeyParts) => (allProjects || belongsTo(entries, parts)) && beginsWith(parts, prefix)
    count = allProjects && prefix === undefined ? manifest.clear() : manifest.clearSome(isChosen)
  })
  return count
}
