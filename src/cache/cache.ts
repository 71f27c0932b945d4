// An open cache: one root, its shared blobs, and a store for each namespace that was asked for. Opening touches nothing
// but one stat; directories are made by the first write.

import { resolve } from 'node:path'
import { CacheError, type CacheWarning, errnoOf } from '../base/errors.js'
import { escapeNamespace, type Layout, layoutOf, unescapeNamespace } from '../base/layout.js'
import type { Cache, CacheOptions, CacheStats, GcReport, Namespace, NamespaceOptions, NamespaceStats } from '../base/types.js'
import { Blobs } from '../blobs/blobs.js'
import { Counters } from '../counters/counters.js'
import { Descriptors } from '../files/descriptors.js'
import { diskUsage } from '../files/disk-usage.js'
import { type Files, nodeFiles } from '../files/files.js'
import { collect } from '../gc/gc.js'
import { createHashing, type Hashing } from '../hashing/hashing.js'
import { type Environment, Turn } from '../log/environment.js'
import { Manifest } from '../manifest/manifest.js'
import { NamespaceHandle, type NamespaceStore } from '../namespace/namespace.js'
import { cacheStats } from '../namespace/stats.js'
import { blobLength } from '../packs/packs.js'
import { onExit } from './exit.js'
import { defaultDir, makeRoot, rootProblem } from './root.js'

/** What tests put in place of the disk and the hash function. */
export interface Substitutes {
  files?: Files
  hashing?: Hashing
}

let sharedHashing: Hashing | undefined

export class CacheHandle implements Cache {
  readonly dir: string
  readonly readOnly: boolean
  readonly #layout: Layout
  readonly #environment: Environment
  readonly #blobs: Blobs
  readonly #stores = new Map<string, NamespaceStore>()
  readonly #clock: () => number
  readonly #onWarning: (warning: CacheWarning) => void
  readonly #warned = new Set<string>()
  readonly #cancelExit: () => void
  /** Undefined while the root is good. */
  readonly #problem: CacheError | undefined
  #isPrepared = false
  #isClosed = false

  /** @throws CacheError `ERR_CACHE_OPTION` */
  constructor(options: CacheOptions = {}, substitutes: Substitutes = {}) {
    const { dir, readOnly, clock, onWarning } = checkCacheOptions(options)
    const files = substitutes.files ?? nodeFiles
    sharedHashing ??= createHashing()
    this.dir = dir
    this.readOnly = readOnly
    this.#clock = clock
    this.#onWarning = onWarning
    this.#layout = layoutOf(dir)
    this.#environment = {
      files,
      descriptors: new Descriptors(files),
      hashing: substitutes.hashing ?? sharedHashing,
      turn: new Turn(),
      readOnly,
    }
    this.#blobs = new Blobs(this.#environment, this.#layout)
    this.#problem = rootProblem(files, this.#layout)
    if (this.#problem) this.#report(this.#problem)
    this.#cancelExit = onExit(() => this.#flush())
  }

  namespace(name: string, options: NamespaceOptions = {}): Namespace {
    this.#expectOpen()
    return new NamespaceHandle(this.#storeOf(escapeNamespace(name)), name, options)
  }

  namespaces(): string[] {
    this.#expectOpen()
    return this.#namespaceDirectories()
      .flatMap(directory => unescapeNamespace(directory) ?? [])
      .sort()
  }

  stats(): CacheStats {
    const names = this.namespaces()
    const unique = new Map<string, number>()
    const namespaces: Record<string, NamespaceStats> = {}
    for (const name of names) {
      namespaces[name] = this.namespace(name).stats()
      for (const { entry } of this.#storeOf(escapeNamespace(name)).manifest.entries()) {
        unique.set(entry.blob.id.toString('latin1'), blobLength(entry.blob.id))
      }
    }
    let uniqueSize = 0
    for (const sizeBytes of unique.values()) uniqueSize += sizeBytes
    return cacheStats(namespaces, { uniqueSize, diskBytes: diskUsage(this.#environment.files, this.#layout.version) })
  }

  async gc(): Promise<GcReport> {
    this.#expectOpen()
    if (this.#problem) throw this.#problem
    if (this.readOnly) throw new CacheError('ERR_CACHE_OPTION', 'A read-only cache cannot be collected.')
    this.#flush()
    return collect({
      environment: this.#environment,
      blobs: this.#blobs,
      manifests: () => this.#namespaceDirectories().map(directory => this.#storeOf(directory).manifest),
      versionDirectory: this.#layout.version,
      lockPath: this.#layout.gcLock,
      now: this.#clock,
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#flush()
    this.#isClosed = true
    this.#cancelExit()
    for (const { manifest, counters } of this.#stores.values()) {
      manifest.close()
      counters.close()
    }
    this.#blobs.close()
    this.#environment.descriptors.closeAll()
  }

  /** Every directory with a manifest, whether or not its name is one that a namespace could have. */
  #namespaceDirectories(): string[] {
    if (this.#problem) return []
    return this.#environment.files.list(this.#layout.namespaces) ?? []
  }

  #storeOf(directory: string): NamespaceStore {
    let store = this.#stores.get(directory)
    if (!store) {
      const { manifest, counters, namespace } = this.#layout
      const identity = `namespaces/${directory}`
      store = {
        environment: this.#environment,
        manifest: new Manifest(this.#environment, manifest(directory), `${identity}/manifest`),
        blobs: this.#blobs,
        counters: new Counters(this.#environment, counters(directory), `${identity}/counters`),
        now: this.#clock,
        expectOpen: () => this.#expectOpen(),
        prepare: () => this.#prepare(),
        report: error => this.#report(error),
        diskBytes: () => diskUsage(this.#environment.files, namespace(directory)),
      }
      this.#stores.set(directory, store)
    }
    return store
  }

  #prepare(): boolean {
    if (this.#isPrepared) return true
    if (this.readOnly || this.#problem) return false
    makeRoot(this.#environment.files, this.#layout)
    this.#isPrepared = true
    return true
  }

  /** Adds this process's counts to the totals. */
  #flush(): void {
    if (this.#isClosed || this.readOnly || this.#problem) return
    try {
      for (const { counters } of this.#stores.values()) {
        if (counters.pendingCount === 0) continue
        this.#prepare()
        counters.flush()
      }
    } catch (error) {
      this.#report(error)
    }
  }

  #report(error: unknown): void {
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
  const { dir, readOnly = false, clock = Date.now, onWarning = emitWarning } = options
  const refuse = (why: string, value: unknown) => new CacheError('ERR_CACHE_OPTION', why, { value })
  if (dir !== undefined && (typeof dir !== 'string' || dir === '' || dir.includes('\0'))) {
    throw refuse('dir must be a path.', dir)
  }
  if (typeof readOnly !== 'boolean') throw refuse('readOnly must be true or false.', readOnly)
  if (typeof clock !== 'function') throw refuse('clock must be a function that returns ms since the epoch.', clock)
  if (typeof onWarning !== 'function') throw refuse('onWarning must be a function.', onWarning)
  return { dir: resolve(dir ?? defaultDir()), readOnly, clock, onWarning }
}

function emitWarning({ code, message }: CacheWarning): void {
  process.emitWarning(message, { type: 'WickedCacheWarning', code })
}
