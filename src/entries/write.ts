// Storing entries: first the values, then the entries that refer to them, then a look whether a gc has retired a pack
// meanwhile.

import type { Input } from '../inputs/input.js'
import type { Entry } from '../manifest/entry.js'
import { keyStart } from '../manifest/key.js'
import { drawEpoch, type EntryKey } from '../manifest/manifest.js'
import type { Scope } from '../project/project.js'
import type { NamespaceStore } from './store.js'

/** An entry to be stored. */
export interface Item {
  key: EntryKey
  bytes: Uint8Array
  ttlMs: number | undefined
  inputs: readonly Input[] | undefined
}

/** Whose entries are stored. */
export interface Owner {
  readonly store: NamespaceStore
  readonly options: { isPortable: boolean }
  keyOf(key: string, kind: 'plain', scope: Scope): EntryKey
  /** Told what was stored. */
  hasSet(count: number, bytes: number): void
}

/** Stores the items with one write for each file touched. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
export function writeItems(entries: Owner, items: readonly Item[]): void {
  const { blobs, manifest, environment, lists, now } = entries.store
  const values = items.map(({ bytes }) => bytes)
  const inputsOf = items.map(({ inputs }) => inputs && lists.fold(inputs, now()))
  const [only] = values
  const stored = values.length === 1 && only ? blobs.putOne(only) : blobs.put(values)
  const createdAt = now()
  const changes = items.map(({ key, ttlMs }, at) => {
    const epoch = drawEpoch(environment.random)
    const blob = stored.refs[at] as Entry['blob']
    return { key, head: { epoch, entry: { blob, createdAt, usedAt: createdAt, epoch, ttlMs, inputs: inputsOf[at] } } }
  })
  manifest.write(changes)
  if (entries.options.isPortable) dropPortable(entries, items)
  blobs.confirm(stored)
  const bytes = values.reduce((sum, { length }) => sum + length, 0)
  entries.hasSet(items.length, bytes)
}

/** What was computed for every checkout gives way to what is set in one. */
function dropPortable(entries: Owner, items: readonly Item[]): void {
  const { manifest } = entries.store
  for (const { key } of items) {
    const portable = entries.keyOf(key.bytes.toString('utf8', keyStart(key.bytes)), 'plain', 'portable')
    if (manifest.look(portable).head) manifest.write([{ key: portable, removal: { cause: 'deleted' } }])
  }
}
