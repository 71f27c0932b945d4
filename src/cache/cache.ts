// An open cache: one root as one caller sees it, with the caller's clock and warnings. Opening touches nothing but one
// or two stats; directories are made by the first write.

import { resolve } from 'node:path'
import { CacheError, type CacheWarning, errnoOf } from '../base/errors.js'
import { escapeNamespace, unescapeNamespace } from '../base/layout.js'
import type {
  Cache,
  CacheOptions,
  CacheStats,
  GcReport,
  Namespace,
  NamespaceOptions,
  VerifyOptions,
  VerifyReport,
  Watcher,
  WatchOptions,
} from '../base/types.js'
import { diskUsage } from '../files/disk-usage.js'
import type { Files } from '../files/files.js'
import { collect } from '../gc/gc.js'
import { acquire, release } from '../gc/lock.js'
import { NamespaceHandle } from '../namespace/namespace.js'
import { cacheStats } from '../namespace/stats.js'
import type { NamespaceStore } from '../namespace/store.js'
import { verify } from '../verify/verify.js'
import { checkWatchOptions } from '../watcher/options.js'
import { SourceWatcher } from '../watcher/watcher.js'
import { defaultDir, TRUST_ROOT } from './root.js'
import { Storage, type Substitutes } from './storage.js'

export class CacheHandle implements Cache {
  readonly dir: string
  readonly readOnly: boolean
  readonly #storage: Storage
  readonly #clock: () => number
  readonly #onWarning: (warning: CacheWarning) => void
  readonly #warned = new Set<string>()
  readonly #report = this.#warn.bind(this)
  /** Undefined while the root is good. */
  readonly #problem: CacheError | undefined
  readonly #watchers = new Set<Watcher>()
  #isClosed = false

  /** @throws CacheError `ERR_CACHE_OPTION` */
  constructor(options: CacheOptions = {}, substitutes?: Substitutes) {
    const { dir, readOnly, trustRoot, clock, onWarning } = checkCacheOptions(options)
    this.dir = dir
    this.readOnly = readOnly
    this.#clock = clock
    this.#onWarning = onWarning
    const storage = Storage.open({ dir, readOnly, trustRoot }, this.#report, substitutes)
    this.#problem = storage.problem()
    this.#storage = this.#problem ? storage.blinded(this.#report) : storage
    if (this.#problem) this.#report(this.#problem)
  }

  namespace(name: string, options: NamespaceOptions = {}): Namespace {
    this.#expectOpen()
    return new NamespaceHandle(this.#storeOf(escapeNamespace(name)), name, options)
  }

  namespaces(): string[] {
    this.#expectOpen()
    return this.#attempt([], () => this.#namespaceDirectories())
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

  async gc(): Promise<GcReport> {
    this.#expectOpen()
    if (this.#problem) throw this.#problem
    if (this.readOnly) throw new CacheError('ERR_CACHE_OPTION', 'A read-only cache cannot be collected.')
    const { environment, blobs, layout } = this.#storage
    this.#storage.flush()
    return collect({
      environment,
      blobs,
      manifests: () => this.#namespaceDirectories().map(directory => this.#storage.namespace(directory).manifest),
      versionDirectory: layout.version,
      lockPath: layout.gcLock,
      now: this.#clock,
    })
  }

  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    this.#expectOpen()
    checkVerifyOptions(options)
    if (this.#problem) throw this.#problem
    if (options.repair && this.readOnly) {
      throw new CacheError('ERR_CACHE_OPTION', 'A read-only cache cannot be repaired.', { value: options })
    }
    const { environment, layout } = this.#storage
    const { gcLock } = layout
    const lock = {
      acquire: (files: Files) => acquire(files, gcLock),
      release: (files: Files) => release(files, gcLock),
    }
    return verify({ environment, layout, lock }, options)
  }

  watch(roots: string | readonly string[], options: WatchOptions = {}): Watcher {
    this.#expectOpen()
    const watcher = new SourceWatcher({
      ...checkWatchOptions(roots, options),
      environment: this.#storage.environment,
      manifests: () =>
        new Map(
          this.#namespaceDirectories().map(directory => [
            unescapeNamespace(directory) ?? directory,
            this.#storage.namespace(directory).manifest,
          ]),
        ),
      cacheDirectory: this.dir,
      now: this.#clock,
      canDrop: !this.readOnly,
      report: this.#report,
      closed: closed => this.#watchers.delete(closed),
    })
    this.#watchers.add(watcher)
    return watcher
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const watcher of this.#watchers) watcher.close().catch(this.#report)
    if (!this.#problem) this.#attempt(undefined, () => this.#storage.flush())
    this.#storage.close(this.#report)
  }

  /** Every directory with a manifest, whether or not its name is one that a namespace could have. */
  #namespaceDirectories(): string[] {
    if (this.#problem) return []
    const { environment, layout } = this.#storage
    return environment.files.list(layout.namespaces) ?? []
  }

  #storeOf(directory: string): NamespaceStore {
    const { environment, blobs, memo, layout } = this.#storage
    return {
      environment,
      blobs,
      memo,
      ...this.#storage.namespace(directory),
      now: this.#clock,
      expectOpen: () => this.#expectOpen(),
      canWrite: !this.readOnly && !this.#problem,
      report: this.#report,
      diskBytes: () => diskUsage(environment.files, layout.namespace(directory)),
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

  #warn(error: unknown): void {
    const code = error instanceof CacheError ? error.code : errnoOf(error) ? 'ERR_CACHE_IO' : 'ERR_CACHE_CORRUPT'
    if (this.#warned.has(code)) return
    this.#warned.add(code)
    const message = error instanceof Error ? error.message : String(error)
    this.#onWarning({ code, message: `${message} The cache at ${this.dir} goes on without it.`, cause: error })
  }

  #expectOpen(): void {
    if (this.#isClosed) throw new CacheError('ERR_CACHE_CLOSED', 'The cache was closed.')
  }
}

function checkCacheOptions(options: CacheOptions) {
  const refuse = (why: string, value: unknown) => new CacheError('ERR_CACHE_OPTION', why, { value })
  if (typeof options !== 'object' || options === null) throw refuse('Cache options must be an object.', options)
  const { dir, readOnly = false, clock = Date.now, onWarning = emitWarning } = options
  const { trustRoot = process.env[TRUST_ROOT] === '1' } = options
  if (dir !== undefined && (typeof dir !== 'string' || dir === '' || dir.includes('\0'))) {
    throw refuse('dir must be a path.', dir)
  }
  if (typeof readOnly !== 'boolean') throw refuse('readOnly must be true or false.', readOnly)
  if (typeof trustRoot !== 'boolean') throw refuse('trustRoot must be true or false.', trustRoot)
  if (typeof clock !== 'function') throw refuse('clock must be a function that returns ms since the epoch.', clock)
  if (typeof onWarning !== 'function') throw refuse('onWarning must be a function.', onWarning)
  return { dir: resolve(dir ?? defaultDir()), readOnly, trustRoot, clock, onWarning }
}

function checkVerifyOptions(options: VerifyOptions): void {
  const refuse = (why: string, value: unknown) => new CacheError('ERR_CACHE_OPTION', why, { value })
  if (typeof options !== 'object' || options === null) throw refuse('Verify options must be an object.', options)
  const { repair = false, onProgress, signal } = options
  if (typeof repair !== 'boolean') throw refuse('repair must be true or false.', repair)
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw refuse('onProgress must be a function.', onProgress)
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw refuse('signal must be an AbortSignal.', signal)
}

function emitWarning({ code, message }: CacheWarning): void {
  process.emitWarning(message, { type: 'WickedCacheWarning', code })
}
