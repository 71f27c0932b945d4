// What a plugin works with. This is where the two halves of an entry meet: the manifest says which blob and how long it
// is valid, the blobs give its bytes. A set stores the blob before the entry, so an entry never refers to nothing; the
// write of the entry is the commit.
//
// It is also the border past which nothing broken gets through: a caller's mistake throws before anything is touched,
// everything that goes wrong afterwards is reported and becomes a miss, or a set that stored nothing.

import { CacheError, errnoOf } from '../base/errors.js'
import { MAX_VALUE_BYTES } from '../base/layout.js'
import type {
  EntryInfo,
  MissReason,
  Namespace,
  NamespaceOptions,
  NamespaceStats,
  SetManyEntry,
  SetOptions,
} from '../base/types.js'
import { digestOf } from '../blobs/blobs.js'
import type { Counters } from '../counters/counters.js'
import { createValueCodec, decodeValue, type ValueCodec } from '../encoding/encoding.js'
import type { Entry, Source } from '../manifest/entry.js'
import { type EntryKey, encodeVersion, type ListedEntry, type RemovalCause } from '../manifest/manifest.js'
import { judge, pathOf, takeSource, type Verdict } from '../manifest/verdict.js'
import { blobLength } from '../packs/packs.js'
import { checkNamespaceOptions, checkSetOptions, expectEntries, type Lifetime } from './options.js'
import { namespaceStats } from './stats.js'
import type { NamespaceStore } from './store.js'

/** Entries that are stored with one write for each file touched. */
const BATCH_ENTRIES = 4096

export class NamespaceHandle implements Namespace {
  readonly name: string
  readonly version: string
  readonly #store: NamespaceStore
  readonly #versionBytes: Buffer
  readonly #codec: ValueCodec
  readonly #base: string | undefined

  constructor(store: NamespaceStore, name: string, options: NamespaceOptions) {
    const { version, cyclic, classInstances, base } = checkNamespaceOptions(options)
    this.name = name
    this.version = version
    this.#store = store
    this.#versionBytes = encodeVersion(version)
    this.#codec = createValueCodec({ cyclic, classInstances })
    this.#base = base
  }

  set(key: string, value: unknown, options?: SetOptions): boolean {
    const entryKey = this.#keyOf(key)
    const lifetime = checkSetOptions(options)
    const bytes = this.#encode(value)
    return this.#write(() => {
      this.#setAll([{ key: entryKey, lifetime, bytes }])
    })
  }

  setMany(entries: Iterable<SetManyEntry>): number {
    const items = Array.from(expectEntries(entries), ({ key, value, ...options }) => ({
      key: this.#keyOf(key),
      lifetime: checkSetOptions(options),
      bytes: Buffer.from(this.#encode(value)),
    }))
    let stored = 0
    while (stored < items.length && this.#write(() => this.#setAll(items.slice(stored, stored + BATCH_ENTRIES)))) {
      stored = Math.min(stored + BATCH_ENTRIES, items.length)
    }
    return stored
  }

  get<T = unknown>(key: string): T | undefined {
    const entryKey = this.#keyOf(key)
    try {
      return this.#read(entryKey) as T | undefined
    } catch (error) {
      this.#store.report(error)
      return this.#miss(errnoOf(error) === undefined ? 'corrupt' : 'unreadable')
    }
  }

  getMany<T = unknown>(keys: readonly string[]): (T | undefined)[] {
    return keys.map(key => this.get<T>(key))
  }

  has(key: string): boolean {
    const entryKey = this.#keyOf(key)
    return this.#attempt(false, () => {
      const { entry } = this.#store.manifest.look(entryKey)
      return entry !== undefined && this.#judge(entry).reason === undefined
    })
  }

  delete(key: string): boolean {
    return this.#remove(key, 'deleted')
  }

  invalidate(key: string): boolean {
    return this.#remove(key, 'invalidated')
  }

  clear(): number {
    this.#store.expectOpen()
    let count = 0
    this.#write(() => {
      count = this.#store.manifest.clear()
    })
    return count
  }

  *keys(): IterableIterator<string> {
    for (const { key } of this.#listed()) yield key
  }

  *entries(options: { allVersions?: boolean } = {}): IterableIterator<EntryInfo> {
    for (const listed of this.#listed(options.allVersions)) yield this.#infoOf(listed)
  }

  find(key: string): EntryInfo[] {
    const entryKey = this.#keyOf(key)
    return this.#attempt([], () =>
      this.#store.manifest.lookAllVersions(entryKey, key).map(listed => this.#infoOf(listed)),
    )
  }

  stats(): NamespaceStats {
    this.#store.expectOpen()
    return namespaceStats(this.#store)
  }

  #setAll(items: readonly { key: EntryKey; lifetime: Lifetime; bytes: Uint8Array }[]): void {
    const { blobs, manifest } = this.#store
    const sources = items.map(({ lifetime }) => this.#sourcesOf(lifetime))
    const values = items.map(({ bytes }) => bytes)
    const refs = blobs.putMany(values)
    manifest.write(
      items.map(({ key, lifetime }, index) => ({
        key,
        entry: this.#entryOf(refs[index] as Entry['blob'], lifetime, sources[index]),
      })),
    )
    blobs.confirm(refs, values)
    this.#count('sets', items.length)
  }

  #read(key: EntryKey): unknown {
    const { manifest, blobs } = this.#store
    const looked = manifest.look(key)
    if (!looked.entry) return this.#miss(looked.cause ?? 'never-set')
    const { entry, check } = looked
    const verdict = this.#judge(entry)
    if (verdict.reason) return this.#miss(verdict.reason)
    const bytes = blobs.get(entry.blob)
    if (!bytes) return this.#miss('blob-missing')
    const value = decodeValue(bytes)
    this.#count('hits')
    if (verdict.refreshed) this.#refresh(key, { ...entry, sources: verdict.refreshed }, check)
    return value
  }

  #judge(entry: Entry): Verdict {
    return judge(this.#store.environment, entry, this.#store.now(), this.#base)
  }

  /** Remembers new stat fields, unless the key was set again meanwhile; a failure costs no more than the next check. */
  #refresh(key: EntryKey, entry: Entry, check: number): void {
    if (this.#store.environment.readOnly) return
    this.#attempt(false, () => this.#store.manifest.swap({ key, entry }, check))
  }

  #remove(key: string, cause: RemovalCause): boolean {
    const entryKey = this.#keyOf(key)
    let wasThere = false
    const isDone = this.#write(() => {
      wasThere = this.#store.manifest.look(entryKey).entry !== undefined
      if (wasThere) this.#store.manifest.write([{ key: entryKey, cause }])
    })
    return isDone && wasThere
  }

  #keyOf(key: unknown): EntryKey {
    this.#store.expectOpen()
    return this.#store.manifest.keyOf(this.#versionBytes, key)
  }

  #encode(value: unknown): Uint8Array {
    const bytes = this.#codec.encode(value)
    if (bytes.length <= MAX_VALUE_BYTES) return bytes
    const message = `A value must not take more than ${MAX_VALUE_BYTES} bytes; this one takes ${bytes.length}.`
    throw new CacheError('ERR_CACHE_VALUE_TOO_LARGE', message, { value })
  }

  #sourcesOf({ files }: Lifetime): Source[] | undefined {
    return files?.map(file => takeSource(this.#store.environment, file, this.#base))
  }

  #entryOf(blob: Entry['blob'], { ttlMs }: Lifetime, sources: Source[] | undefined): Entry {
    const now = this.#store.now()
    return { blob, createdAt: now, usedAt: now, ttlMs, sources }
  }

  #infoOf({ key, version, entry }: ListedEntry): EntryInfo {
    const { createdAt, ttlMs, sources, blob } = entry
    return {
      key,
      version,
      mode: sources ? 'file' : ttlMs === undefined ? 'manual' : 'ttl',
      valid: this.#attempt(false, () => this.#judge(entry).reason === undefined),
      sizeBytes: blobLength(blob.id),
      createdAt,
      ageMs: this.#store.now() - createdAt,
      ...(ttlMs === undefined ? {} : { expiresAt: createdAt + ttlMs }),
      files: sources?.map(source => pathOf(source, this.#base) ?? source.path) ?? [],
      digest: digestOf(blob.id),
    }
  }

  *#listed(allVersions = false): IterableIterator<ListedEntry> {
    this.#store.expectOpen()
    for (const listed of this.#guarded(this.#store.manifest.entries())) {
      if (allVersions || listed.version === this.version) yield listed
    }
  }

  /** Ends where the entries can be read no further, and says so. */
  *#guarded<T>(entries: Iterable<T>): IterableIterator<T> {
    try {
      yield* entries
    } catch (error) {
      this.#store.report(error)
    }
  }

  #write(work: () => void): boolean {
    return this.#attempt(false, () => {
      if (!this.#store.canWrite) return false
      work()
      return true
    })
  }

  /** The work's result; where it fails for no fault of the caller's, the failure is reported and the fallback returned. */
  #attempt<T>(fallback: T, work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof CacheError && error.code === 'ERR_CACHE_OPTION') throw error
      this.#store.report(error)
      return fallback
    }
  }

  #miss(reason: MissReason): undefined {
    this.#count(reason)
    return undefined
  }

  #count(name: Parameters<Counters['count']>[0], by = 1): void {
    const { counters, canWrite } = this.#store
    counters.count(name, by)
    if (canWrite && counters.isDue) this.#attempt(undefined, () => counters.flush())
  }
}
