// What a plugin works with. Its options and arguments are checked, and what it asks for is done, in the other files of this
// room: entries by `entries`, what computes by `computations`.

import type {
  AnalyzeContext,
  AnalyzeOptions,
  ComputeContext,
  EntryInfo,
  Explanation,
  Namespace,
  NamespaceOptions,
  NamespaceStats,
  SetManyEntry,
  SetOptions,
  WrapOptions,
} from '../base/types.js'
import { digestOf } from '../blobs/blobs.js'
import type { Entry } from '../manifest/entry.js'
import type { ListedEntry, RemovalCause } from '../manifest/manifest.js'
import { pathOf } from '../manifest/verdict.js'
import { blobLength } from '../packs/packs.js'
import { type Computations, createComputations } from './computations.js'
import { Entries } from './entries.js'
import { explain } from './explain.js'
import { checkSetOptions, expectEntries } from './options.js'
import { namespaceStats } from './stats.js'
import type { NamespaceStore } from './store.js'

export class NamespaceHandle implements Namespace {
  readonly name: string
  readonly version: string
  readonly #store: NamespaceStore
  readonly #entries: Entries
  #computations: Computations | undefined

  /** @throws CacheError `ERR_CACHE_OPTION` */
  constructor(store: NamespaceStore, name: string, options: NamespaceOptions) {
    this.#store = store
    this.#entries = new Entries(store, options)
    this.name = name
    this.version = this.#entries.version
  }

  set(key: string, value: unknown, options?: SetOptions): boolean {
    const entryKey = this.#entries.keyOf(key)
    const { ttlMs, files } = checkSetOptions(options)
    return this.#entries.set([{ key: entryKey, ttlMs, files, bytes: this.#entries.encode(value) }]) > 0
  }

  setMany(entries: Iterable<SetManyEntry>): number {
    const items = expectEntries(entries).map(entry => {
      const key = this.#entries.keyOf(entry.key)
      const { ttlMs, files } = checkSetOptions(entry)
      return { key, ttlMs, files, bytes: Buffer.from(this.#entries.encode(entry.value)) }
    })
    return this.#entries.set(items)
  }

  get<T = unknown>(key: string): T | undefined {
    return this.#entries.get(key) as T | undefined
  }

  getMany<T = unknown>(keys: readonly string[]): (T | undefined)[] {
    return keys.map(key => this.get<T>(key))
  }

  async getOrSet<T>(
    key: string,
    compute: (context: ComputeContext) => T | Promise<T>,
    options?: SetOptions,
  ): Promise<T> {
    return (await this.#computing.getOrSet(key, compute, options)) as T
  }

  getOrSetSync<T>(key: string, compute: (context: ComputeContext) => T, options?: SetOptions): T {
    return this.#computing.getOrSetSync(key, compute, options) as T
  }

  async analyze<T>(
    file: string,
    compute: (context: AnalyzeContext) => T | Promise<T>,
    options?: AnalyzeOptions,
  ): Promise<T> {
    return (await this.#computing.analyze(file, compute, options)) as T
  }

  analyzeSync<T>(file: string, compute: (context: AnalyzeContext) => T, options?: AnalyzeOptions): T {
    return this.#computing.analyzeSync(file, compute, options) as T
  }

  wrap<Args extends unknown[], R>(compute: (...args: Args) => R, options: WrapOptions<Args> = {}) {
    return this.#computing.wrap(compute, options) as (...args: Args) => Promise<Awaited<R>>
  }

  wrapSync<Args extends unknown[], R>(compute: (...args: Args) => R, options: WrapOptions<Args> = {}) {
    return this.#computing.wrapSync(compute, options) as (...args: Args) => R
  }

  explain(key: string): Explanation {
    const entryKey = this.#entries.keyOf(key)
    const outcome = this.#entries.look(entryKey)
    const infoOf = (entry: Entry) => this.#infoOf({ key, version: this.version, entry })
    return { key, version: this.version, ...explain(this.#entries, entryKey, outcome, infoOf) }
  }

  has(key: string): boolean {
    const entryKey = this.#entries.keyOf(key)
    return this.#entries.attempt(false, () => {
      const { entry } = this.#store.manifest.look(entryKey)
      return entry !== undefined && this.#isValid(entry)
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
    this.#entries.write(() => {
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
    const entryKey = this.#entries.keyOf(key)
    return this.#entries.attempt([], () =>
      this.#store.manifest.lookAllVersions(entryKey).map(listed => this.#infoOf(listed)),
    )
  }

  stats(): NamespaceStats {
    this.#store.expectOpen()
    return namespaceStats(this.#store)
  }

  get #computing(): Computations {
    this.#computations ??= createComputations(this.#entries)
    return this.#computations
  }

  #isValid(entry: Entry): boolean {
    return this.#entries.judge(entry).reason === undefined
  }

  #remove(key: string, cause: RemovalCause): boolean {
    const entryKey = this.#entries.keyOf(key)
    let wasThere = false
    const isDone = this.#entries.write(() => {
      wasThere = this.#store.manifest.look(entryKey).entry !== undefined
      if (wasThere) this.#store.manifest.write([{ key: entryKey, removal: { cause } }])
    })
    return isDone && wasThere
  }

  #infoOf({ key, version, entry }: Omit<ListedEntry, 'check'>): EntryInfo {
    const { createdAt, ttlMs, sources, blob } = entry
    const base = this.#entries.base ?? entry.base
    return {
      key,
      version,
      mode: sources ? 'file' : ttlMs === undefined ? 'manual' : 'ttl',
      valid: this.#entries.attempt(false, () => this.#isValid(entry)),
      sizeBytes: blobLength(blob.id),
      createdAt,
      ageMs: this.#store.now() - createdAt,
      ...(ttlMs === undefined ? {} : { expiresAt: createdAt + ttlMs }),
      files: sources?.map(source => pathOf(source, base) ?? source.path) ?? [],
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
}
