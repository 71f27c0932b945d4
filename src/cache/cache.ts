// An open cache: one root as one caller sees it, with the caller's clock and warnings. Opening costs one or two stats; the
// directories are created on the first write.

import type {
  Cache,
  CacheMode,
  CacheOptions,
  CacheStats,
  GcOptions,
  GcReport,
  Namespace,
  NamespaceOptions,
  NamespaceSummary,
  Remote,
  StatsOptions,
  VerifyOptions,
  VerifyReport,
  Watcher,
  WatchOptions,
} from '../api/index.js'
import { CacheError, type CacheErrorCode, type CacheWarning, errnoOf, ifThere } from '../base/errors.js'
import { escapeNamespace } from '../base/layout.js'
import { unescapeNamespace } from '../base/namespace-name.js'
import { currentFrame } from '../compute/frame.js'
import type { NamespaceStore } from '../entries/store.js'
import { createUpkeep, type Upkeep } from '../gc/upkeep.js'
import { createSnapshot } from '../inputs/snapshot.js'
import { createNamespace } from '../namespace/namespace.js'
import { checkLimits } from '../policy/limits.js'
import { maxValueBytes } from './limits.js'
import {
  collectCache,
  namespacesOf,
  removeNamespace,
  statsOf,
  upkeepInputOf,
  verifyCache,
  watchRoots,
} from './maintenance.js'
import type { OpenCache } from './open-cache.js'
import { checkCacheOptions } from './options.js'
import { createRemoteSlot, type RemoteSlot } from './remote-slot.js'
import { runInSnapshot } from './running-snapshot.js'
import { Storage, type Substitutes } from './storage.js'
import { summaryOf } from './summary.js'

export class CacheHandle implements Cache {
  readonly dir: string
  readonly mode: CacheMode
  readonly #openedAt: number
  readonly #storage: Storage
  readonly #clock: () => number
  readonly #onWarning: (warning: CacheWarning) => void
  readonly #warned = new Set<string>()
  readonly #report = this.#warn.bind(this)
  readonly #open: OpenCache
  #upkeep: Upkeep | undefined
  /** Whether independent callers share this cache, so that none of them may close it. */
  readonly #isShared: boolean
  readonly #remoteOptions: CacheOptions['remote']
  #remote: RemoteSlot | undefined
  #isClosed = false

  /** @throws CacheError `ERR_CACHE_OPTION` */
  constructor(options: CacheOptions = {}, substitutes?: Substitutes, isShared = false) {
    this.#isShared = isShared
    const { dir, mode, trustRoot, clock, onWarning, remote, limits, problem } = checkCacheOptions(options)
    this.#remoteOptions = mode === 'off' ? false : remote
    this.dir = dir
    this.mode = mode
    const isReadOnly = mode === 'readonly' || mode === 'off'
    this.#clock = clock
    this.#onWarning = onWarning
    this.#openedAt = this.#clock()
    if (problem) this.#report(problem)
    this.#storage = Storage.open({ dir, readOnly: isReadOnly, trustRoot }, this.#report, substitutes)
    if (this.#storage.root.problem) this.#report(this.#storage.root.problem)
    this.#open = {
      storage: this.#storage,
      isReadOnly,
      ownLimits: limits,
      namespaceLimits: new Map(),
      watchers: new Set(),
      now: this.#clock,
      report: this.#report,
      storeOf: directory => this.#storeOf(directory),
    }
    this.#storage.blobs.maxValueBytes = () => maxValueBytes(this.#open)
  }

  namespace<T>(name: string, options?: NamespaceOptions): Namespace<T> {
    this.#assertOpen()
    const handle = createNamespace(this.#storeOf(escapeNamespace(name), name), options)
    const limits = ifThere(this.#report, {}, () => checkLimits(options ?? {}))
    if (Object.keys(limits).length > 0) this.#open.namespaceLimits.set(name, limits)
    return handle as Namespace<T>
  }

  snapshot<R>(fn: () => R): R {
    this.#assertOpen()
    // Without it, each call looks anew.
    const means = ifThere(this.#report, undefined, () => this.#storage.snapshotMeans)
    return means ? runInSnapshot(means, fn) : fn()
  }

  namespaces(): string[] {
    this.#assertOpen()
    return namespacesOf(this.#open)
  }

  stats(options?: StatsOptions): CacheStats {
    this.#assertOpen()
    return statsOf(this.#open, options)
  }

  summary(): Record<string, NamespaceSummary> {
    return summaryOf([this.#storage])
  }

  async gc(options?: GcOptions): Promise<GcReport> {
    this.#assertOpen()
    return collectCache(this.#open, options)
  }

  removeNamespace(name: string): number {
    this.#assertOpen()
    return removeNamespace(this.#open, name)
  }

  async verify(options?: VerifyOptions): Promise<VerifyReport> {
    this.#assertOpen()
    return verifyCache(this.#open, options)
  }

  watch(roots: string | readonly string[], options?: WatchOptions): Watcher {
    this.#assertOpen()
    return watchRoots(this.#open, roots, options)
  }

  get remote(): Remote | undefined {
    this.#assertOpen()
    return this.#remoteSlot.tools(directory => this.#storeOf(directory))
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    if (this.#isShared) {
      this.#flush()
      return this.#remote?.flush() ?? Promise.resolve()
    }
    this.#isClosed = true
    for (const watcher of this.#open.watchers) watcher.close().catch(this.#report)
    const end = () => {
      this.#flush()
      this.#upkeep?.close()
      this.#storage.close(this.#report)
    }
    return this.#remote ? this.#remote.close(end) : Promise.resolve(end())
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #storeOf(directory: string, name = unescapeNamespace(directory) ?? directory): NamespaceStore {
    const storage = this.#storage
    const { environment, blobs, projects, layout } = storage
    const { manifest, counters } = storage.namespace(directory)
    const { isReadOnly } = this.#open
    const running = () => {
      const snapshot = currentFrame()?.snapshots?.get(storage.snapshotMeans)
      return snapshot?.isOver ? undefined : snapshot
    }
    return {
      id: `${storage.id} ${directory}`,
      name,
      directory,
      get path() {
        return layout.namespace(directory)
      },
      environment,
      blobs,
      get lists() {
        return storage.lists
      },
      projects,
      manifest,
      counters,
      mode: this.mode,
      trace: process.env.WICKED_CACHE_TRACE,
      openedAt: this.#openedAt,
      get snapshotMeans() {
        return storage.snapshotMeans
      },
      snapshot: () => running() ?? createSnapshot(storage.snapshotMeans),
      forgetEntries: () => running()?.forgetEntries(),
      flushFileHashes: () => storage.flushFileHashes(this.#report),
      now: this.#clock,
      remote: () => this.#remoteSlot.open(),
      assertOpen: () => this.#assertOpen(),
      get canWrite() {
        return !isReadOnly && !storage.problem()
      },
      report: error => this.#warn(error, directory),
      indexSoon: () => storage.indexSoon(this.#report),
      afterSet: (count, bytes) => {
        this.#upkeep ??= createUpkeep(environment.random, () => upkeepInputOf(this.#open))
        this.#upkeep.afterSet(count, bytes)
      },
    }
  }

  get #remoteSlot(): RemoteSlot {
    this.#remote ??= createRemoteSlot(this.#remoteOptions, this.#storage, this.#open.isReadOnly, this.#report)
    return this.#remote
  }

  #flush(): void {
    try {
      this.#storage.flush()
    } catch (error) {
      this.#report(error)
    }
  }

  /** Reports a warning once for each code; one that concerns a single plugin, once for each namespace. */
  #warn(error: unknown, directory = ''): void {
    const code = error instanceof CacheError ? error.code : errnoOf(error) ? 'ERR_CACHE_IO' : 'ERR_CACHE_CORRUPT'
    const name = PLUGIN_CODES.has(code) ? `${code} ${directory}` : code
    if (this.#warned.has(name)) return
    this.#warned.add(name)
    const message = error instanceof Error ? error.message : String(error)
    this.#onWarning({ code, message: `${message} The cache at ${this.dir} goes on without it.`, cause: error })
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new CacheError('ERR_CACHE_CLOSED', 'The cache was closed.')
  }
}

/** Codes of warnings that the author of a plugin can do something about. */
const PLUGIN_CODES = new Set<CacheErrorCode>([
  'ERR_CACHE_OPTION',
  'ERR_CACHE_VALUE',
  'ERR_CACHE_VALUE_TOO_LARGE',
  'ERR_CACHE_PORTABLE',
])
