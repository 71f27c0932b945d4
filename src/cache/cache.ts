// An open cache: one root as one caller sees it, with the caller's clock and warnings. Opening touches nothing but one
// or two stats; directories are made by the first write.

import type {
  Cache,
  CacheMode,
  CacheOptions,
  CacheStats,
  GcOptions,
  GcReport,
  Namespace,
  NamespaceOptions,
  VerifyOptions,
  VerifyReport,
  Watcher,
  WatchOptions,
} from '../api/index.js'
import { CacheError, type CacheErrorCode, type CacheWarning, errnoOf } from '../base/errors.js'
import { escapeNamespace, unescapeNamespace } from '../base/layout.js'
import { refuseOption } from '../base/options.js'
import { currentFrame, enterAsync, leaveAsync, runInAsyncFrame } from '../compute/frame.js'
import type { NamespaceStore } from '../entries/store.js'
import { diskUsage } from '../files/disk-usage.js'
import type { Files } from '../files/files.js'
import { collect, createLock, removeFiles } from '../gc/gc.js'
import type { Namespaces } from '../gc/input.js'
import { Upkeep } from '../gc/upkeep.js'
import { Snapshot } from '../inputs/snapshot.js'
import { createNamespace } from '../namespace/namespace.js'
import { cacheStats } from '../namespace/stats.js'
import type { Bounds } from '../policy/bounds.js'
import {
  boundsOfConfiguration,
  boundsOfEnvironment,
  type CacheBounds,
  checkLimits,
  DEFAULT_BOUNDS,
} from '../policy/bounds.js'
import { verify } from '../verify/verify.js'
import { checkWatchOptions } from '../watcher/options.js'
import { watchSources } from '../watcher/watcher.js'
import { checkCacheOptions, checkGcOptions, checkVerifyOptions } from './options.js'
import { Storage, type Substitutes } from './storage.js'

export class CacheHandle implements Cache {
  readonly dir: string
  readonly mode: CacheMode
  readonly #openedAt: number
  readonly #storage: Storage
  readonly #clock: () => number
  readonly #onWarning: (warning: CacheWarning) => void
  readonly #warned = new Set<string>()
  readonly #report = this.#warn.bind(this)
  readonly #watchers = new Set<Watcher>()
  readonly #ownBounds: Bounds
  /** Bounds that were given with a namespace, the latest. */
  readonly #namespaceBounds = new Map<string, Bounds>()
  readonly #upkeep: Upkeep
  /** Whether others use it who don't know of each other: none of them may close it. */
  readonly #isShared: boolean
  #isClosed = false

  /** @throws CacheError `ERR_CACHE_OPTION` */
  constructor(options: CacheOptions = {}, substitutes?: Substitutes, isShared = false) {
    this.#isShared = isShared
    const { dir, mode, trustRoot, clock, onWarning, bounds, problem } = checkCacheOptions(options)
    this.#ownBounds = bounds
    this.dir = dir
    this.mode = mode
    const readOnly = mode === 'readonly' || mode === 'off'
    this.#clock = () => toTime(clock())
    this.#onWarning = onWarning
    this.#openedAt = this.#clock()
    if (problem) this.#report(problem)
    this.#storage = Storage.open({ dir, readOnly, trustRoot }, this.#report, substitutes)
    if (this.#storage.root.problem) this.#report(this.#storage.root.problem)
    this.#storage.blobs.maxValueBytes = () => (this.#bounds().whole.maxSizeBytes ?? Number.POSITIVE_INFINITY) / 2
    this.#upkeep = new Upkeep({ ...this.#collection(false), bounds: () => this.#bounds() })
  }

  namespace<T>(name: string, options?: NamespaceOptions): Namespace<T> {
    this.#expectOpen()
    const handle = createNamespace(this.#storeOf(escapeNamespace(name)), options)
    const bounds = checkLimits(options ?? {})
    if (Object.keys(bounds).length > 0) this.#namespaceBounds.set(name, bounds)
    return handle as Namespace<T>
  }

  snapshot<R>(fn: () => R): R {
    this.#expectOpen()
    if (typeof fn !== 'function') throw refuseOption('snapshot takes a function.', fn)
    const means = this.#storage.snapshotMeans
    const outer = currentFrame()
    const snapshots = new Map(outer?.snapshots)
    const snapshot = new Snapshot(means)
    if (snapshots.get(means)?.isOver !== false) snapshots.set(means, snapshot)
    const end = () => {
      snapshot.isOver = true
      leaveAsync()
    }
    enterAsync()
    let isAsync = false
    try {
      const result = runInAsyncFrame({ computation: outer?.computation, snapshots }, fn)
      if (!(typeof (result as PromiseLike<unknown> | undefined)?.then === 'function')) return result
      isAsync = true
      return (result as Promise<unknown>).then(
        value => {
          end()
          return value
        },
        error => {
          end()
          throw error
        },
      ) as R
    } finally {
      if (!isAsync) end()
    }
  }

  namespaces(): string[] {
    this.#expectOpen()
    return this.#attempt([], () => this.#namespaceDirectories())
      .filter(directory => this.#isInUse(directory))
      .flatMap(directory => unescapeNamespace(directory) ?? [])
      .sort()
  }

  stats(): CacheStats {
    const { environment, layout } = this.#storage
    // A namespace that nothing was set in yet has counts, but no directory.
    const names = new Set([...this.namespaces(), ...this.#storage.countedNamespaces().map(unescapeNamespace)])
    const stores = [...names].flatMap(name =>
      name === undefined ? [] : [[name, this.#storeOf(escapeNamespace(name))] as const],
    )
    return cacheStats(
      new Map(stores),
      this.#attempt(0, () => diskUsage(environment.files, layout.version)),
    )
  }

  async gc(options: GcOptions = {}): Promise<GcReport> {
    this.#expectOpen()
    const { namespace, dryRun, signal, onProgress, bounds } = checkGcOptions(options)
    if (this.#problem) throw this.#problem
    if (this.#isReadOnly && !dryRun) throw new CacheError('ERR_CACHE_OPTION', 'A read-only cache cannot be collected.')
    const { root, fileHashes, snapshotMeans } = this.#storage
    if (root.access) root.assertOurs()
    if (!dryRun) this.#storage.flush()
    return collect({
      ...this.#collection(true),
      fileHashes,
      snapshotMeans,
      bounds: this.#boundsFor(namespace, bounds),
      only: namespace,
      isDryRun: dryRun,
      signal,
      onProgress,
    })
  }

  removeNamespace(name: string): number {
    this.#expectOpen()
    const directory = escapeNamespace(name)
    if (this.#isReadOnly || this.#problem) return 0
    const { environment, layout } = this.#storage
    const namespace = this.#storage.namespace(directory)
    return this.#attempt(0, () => {
      const count = namespace.manifest.clear()
      namespace.counters.clear()
      // What is left is a few bytes, which the next gc removes where one is under way now.
      const lock = createLock(environment.files, layout, environment.random)
      if (environment.files.linkStat(layout.namespace(directory)) && lock.acquire()) {
        removeFiles(environment.files, layout, { directory, ...namespace })
        lock.release()
      }
      return count
    })
  }

  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    this.#expectOpen()
    checkVerifyOptions(options)
    if (this.#problem) throw this.#problem
    if (options.repair && this.#isReadOnly) {
      throw new CacheError('ERR_CACHE_OPTION', 'A read-only cache cannot be repaired.', { value: options })
    }
    const { environment, layout } = this.#storage
    const { root } = this.#storage
    if (root.access) root.assertOurs()
    const lockOn = (files: Files) => createLock(files, layout, environment.random)
    return verify({ environment, layout, lockOn }, options)
  }

  watch(roots: string | readonly string[], options: WatchOptions = {}): Watcher {
    this.#expectOpen()
    const watcher = watchSources({
      ...checkWatchOptions(roots, options),
      environment: this.#storage.environment,
      snapshotMeans: this.#storage.snapshotMeans,
      lists: this.#storage.lists,
      manifests: () =>
        new Map(
          this.#namespaceDirectories().map(directory => [
            unescapeNamespace(directory) ?? directory,
            this.#storage.namespace(directory).manifest,
          ]),
        ),
      cacheDirectory: this.dir,
      now: this.#clock,
      canDrop: !this.#isReadOnly,
      report: this.#report,
      closed: closed => this.#watchers.delete(closed),
    })
    this.#watchers.add(watcher)
    return watcher
  }

  close(): void {
    if (this.#isClosed) return
    if (this.#isShared) {
      this.#attempt(undefined, () => this.#storage.flush())
      return
    }
    this.#isClosed = true
    for (const watcher of this.#watchers) watcher.close().catch(this.#report)
    this.#attempt(undefined, () => this.#storage.flush())
    this.#upkeep.close()
    this.#storage.close(this.#report)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  get #isReadOnly(): boolean {
    return this.mode === 'readonly' || this.mode === 'off'
  }

  /** Why the root cannot be used, as of this turn. */
  get #problem(): CacheError | undefined {
    return this.#storage.problem()
  }

  /** Every directory with a manifest, whether or not its name is one that a namespace could have. */
  #namespaceDirectories(): string[] {
    const { environment, layout } = this.#storage
    return this.#problem ? [] : (environment.files.list(layout.namespaces) ?? [])
  }

  /** Whether the namespace has entries or statistics: one that was removed leaves its files. */
  #isInUse(directory: string): boolean {
    try {
      const found = this.#storage.visit(directory)
      if (!found) return false
      const isInUse = !found.counters.isEmpty || !found.manifest.isEmpty
      found.close()
      return isInUse
    } catch (error) {
      if (errnoOf(error) === undefined && !(error instanceof CacheError)) throw error
      return true
    }
  }

  /** What a gc and the upkeep work on; `isWritten`: which entries this process has used. */
  #collection(isWritten: boolean) {
    const { environment, blobs, layout } = this.#storage
    return { environment, blobs, layout, namespaces: this.#collected(isWritten), now: this.#clock }
  }

  #collected(isWritten: boolean): Namespaces {
    const storage = this.#storage
    return {
      directories: () => this.#namespaceDirectories().sort(),
      open(directory) {
        if (!isWritten) storage.flushUses(directory)
        const found = storage.visit(directory)
        return found && { name: unescapeNamespace(directory) ?? directory, directory, ...found }
      },
    }
  }

  /** The bounds that a gc keeps: those given for it, in place of the cache's, or of the only namespace's that it is for. */
  #boundsFor(only: string | undefined, given: Bounds): CacheBounds {
    const { whole, namespaces } = this.#bounds()
    if (only === undefined) return { whole: { ...whole, ...given }, namespaces }
    return { whole: {}, namespaces: new Map([[only, { ...namespaces.get(only), ...given }]]) }
  }

  /** The bounds in force; what is said wrongly is reported and left out. */
  #bounds(): CacheBounds {
    const { environment, layout } = this.#storage
    const configured = this.#attempt<CacheBounds>({ whole: {}, namespaces: new Map() }, () =>
      boundsOfConfiguration(readConfiguration(environment.files, layout.config) ?? '{}'),
    )
    const surrounding = this.#attempt({}, () => boundsOfEnvironment(process.env))
    const namespaces = new Map(configured.namespaces)
    for (const [name, own] of this.#namespaceBounds) namespaces.set(name, { ...namespaces.get(name), ...own })
    return { whole: { ...DEFAULT_BOUNDS, ...configured.whole, ...surrounding, ...this.#ownBounds }, namespaces }
  }

  #storeOf(directory: string): NamespaceStore {
    const storage = this.#storage
    const { environment, blobs, fileHashes, lists, projects, snapshotMeans, layout } = storage
    const { manifest, counters } = storage.namespace(directory)
    const isReadOnly = this.#isReadOnly
    return {
      id: `${storage.id} ${directory}`,
      name: unescapeNamespace(directory) ?? directory,
      directory,
      environment,
      blobs,
      fileHashes,
      lists,
      projects,
      manifest,
      counters,
      mode: this.mode,
      openedAt: this.#openedAt,
      snapshotMeans,
      snapshot() {
        const running = currentFrame()?.snapshots?.get(snapshotMeans)
        return running && !running.isOver ? running : new Snapshot(snapshotMeans)
      },
      now: this.#clock,
      expectOpen: () => this.#expectOpen(),
      get canWrite() {
        return !isReadOnly && !storage.problem()
      },
      report: error => this.#warn(error, directory),
      diskBytes: () => diskUsage(environment.files, layout.namespace(directory)),
      indexSoon: () => this.#storage.indexSoon(this.#report),
      afterSet: (count, bytes) => this.#upkeep.afterSet(count, bytes),
    }
  }

  #attempt<T>(fallback: T, work: () => T): T {
    try {
      return work()
    } catch (error) {
      this.#report(error)
      return fallback
    }
  }

  /** Once for each code; what concerns one plugin alone, once for each namespace. */
  #warn(error: unknown, directory = ''): void {
    const code = error instanceof CacheError ? error.code : errnoOf(error) ? 'ERR_CACHE_IO' : 'ERR_CACHE_CORRUPT'
    const name = PLUGIN_CODES.has(code) ? `${code} ${directory}` : code
    if (this.#warned.has(name)) return
    this.#warned.add(name)
    const message = error instanceof Error ? error.message : String(error)
    this.#onWarning({ code, message: `${message} The cache at ${this.dir} goes on without it.`, cause: error })
  }

  #expectOpen(): void {
    if (this.#isClosed) throw new CacheError('ERR_CACHE_CLOSED', 'The cache was closed.')
  }
}

/** Of warnings that a plugin's author can do something about. */
const PLUGIN_CODES = new Set<CacheErrorCode>([
  'ERR_CACHE_OPTION',
  'ERR_CACHE_VALUE',
  'ERR_CACHE_VALUE_TOO_LARGE',
  'ERR_CACHE_PORTABLE',
])

/** Longer configurations are none. */
const MAX_CONFIG_BYTES = 1024 * 1024

/** A pipe in its place would never end, nor a link to some devices. @throws CacheError `ERR_CACHE_CONFIG` */
function readConfiguration(files: Files, path: string): string | undefined {
  const stat = files.linkStat(path)
  if (!stat) return undefined
  if (stat.kind !== 'file' || stat.sizeBytes > MAX_CONFIG_BYTES) {
    throw new CacheError('ERR_CACHE_CONFIG', 'config.json is a link, no plain file, or larger than 1 MB.', {
      value: path,
    })
  }
  return files.readFile(path)?.toString()
}

const MAX_TIME_MS = 2 ** 48 - 1

/** What an entry can record of what a clock says: one without a battery may be before 1970, or nowhere. */
function toTime(ms: number): number {
  return ms >= 0 && ms <= MAX_TIME_MS ? ms : ms > MAX_TIME_MS ? MAX_TIME_MS : 0
}
