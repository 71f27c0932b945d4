// Stores entries: first the values, then the entries that refer to them. Then `confirm` checks whether a gc has retired a pack
// meanwhile.

import { CacheError } from '../base/errors.js'
import type { Input } from '../inputs/input.js'
import type { Entry } from '../manifest/entry.js'
import { drawEpoch } from '../manifest/epochs.js'
import { keyStart } from '../manifest/key.js'
import type { EntryKey, Lookup } from '../manifest/records.js'
import { type Scope, workingDirectory } from '../project/project.js'
import { foldedInputs } from './folded-inputs.js'
import type { NamespaceStore } from './store.js'

/** An entry to be stored. */
export interface Item {
  key: EntryKey
  bytes: Uint8Array
  ttlMs: number | undefined
  inputs: readonly Input[] | undefined
}

/** The owner of the entries. */
export interface Owner {
  readonly store: NamespaceStore
  readonly options: { isPortable: boolean }
  readonly hasKeys: boolean
  keyOf(key: string, kind: 'plain', scope: Scope): EntryKey
  attempt<T>(fallback: T, work: () => T): T
  write(work: () => void): boolean
  count(name: 'sets', by: number): void
}

/** How many entries are stored with one write for each file. */
const BATCH_ENTRIES = 512

/** Stores the items in order. Returns how many were stored. Their bytes must not change meanwhile. */
export function setItems(entries: Owner, given: readonly Item[]): number {
  if (!entries.hasKeys) {
    reportNoProject(entries.store)
    return 0
  }
  // A value that is too large must not stop the others.
  const items = given.length === 1 ? given : given.filter(({ bytes }) => fits(entries, bytes))
  let stored = 0
  const writeNext = () => writeItems(entries, items.slice(stored, stored + BATCH_ENTRIES))
  while (stored < items.length && entries.write(writeNext)) stored = Math.min(stored + BATCH_ENTRIES, items.length)
  return stored
}

function fits(entries: Owner, bytes: Uint8Array): boolean {
  return entries.attempt(false, () => {
    entries.store.blobs.assertFits(bytes)
    return true
  })
}

/** Warns once that keys are not stored here: everything that runs in such a directory would share them. */
export function reportNoProject(store: NamespaceStore): void {
  const message =
    `Nothing is cached in ${workingDirectory() ?? 'a directory that was removed'}, which belongs to no project; ` +
    'the namespace option `project: false` makes keys user-wide, `project: dir` names a project.'
  store.report(new CacheError('ERR_CACHE_PROJECT', message))
}

/** To be called after entries were stored. */
export function afterStore(entries: Owner, count: number, bytes: number): void {
  entries.store.indexSoon()
  entries.count('sets', count)
  entries.attempt(undefined, () => entries.store.afterSet(count, bytes))
}

/** Stores the items with one write for each file touched. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
function writeItems(entries: Owner, items: readonly Item[]): void {
  const { blobs, manifest, environment, now } = entries.store
  const values = items.map(({ bytes }) => bytes)
  const inputsOf = items.map(({ inputs }) => inputs && foldedInputs(entries.store, inputs))
  const [only] = values
  const stored = values.length === 1 && only ? blobs.putOne(only) : blobs.put(values)
  const createdAt = now()
  const changes = items.map(({ key, ttlMs }, at) => {
    const epoch = drawEpoch(environment.random)
    const blob = stored.refs[at] as Entry['blob']
    return { key, head: { epoch, entry: { blob, createdAt, usedAt: createdAt, epoch, ttlMs, inputs: inputsOf[at] } } }
  })
  let rest = changes
  do {
    manifest.write(rest)
    if (entries.options.isPortable) dropPortable(entries, items)
    // A gc that didn't find the values may have dropped the entries before `confirm`.
    rest = blobs.confirm(stored) ? rest.filter(({ key }) => isEvicted(manifest.look(key))) : []
  } while (rest.length > 0)
  const bytes = values.reduce((sum, { length }) => sum + length, 0)
  afterStore(entries, items.length, bytes)
}

/** Whether a gc removed the entry; the reason is forgotten when its bucket is rewritten. */
function isEvicted({ head, removal }: Lookup): boolean {
  return !head?.entry && (removal === undefined || removal.cause === 'evicted')
}

/** A value that is set in one checkout replaces the one that was computed for all checkouts. */
function dropPortable(entries: Owner, items: readonly Item[]): void {
  const { manifest } = entries.store
  for (const { key } of items) {
    const portable = entries.keyOf(key.bytes.toString('utf8', keyStart(key.bytes)), 'plain', 'portable')
    if (manifest.look(portable).head) manifest.write([{ key: portable, removal: { cause: 'deleted' } }])
  }
}
