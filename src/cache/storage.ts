// The storage objects of one root, shared by all caches of the process that have it open. A linter may load a dozen plugins
// that each open the default cache: they see each other's sets at once, and keep one copy of what was read. Once a tick, the
// root is checked. If it was replaced by another directory, all files are closed and everything in memory is dropped. If the
// new directory must not be used, its content is hidden.
//
// One exit listener serves all roots. If each cache added its own, Node would soon warn about too many listeners.

import { type CacheError, ifThere } from '../base/errors.js'
import { type Layout, LISTS_DIRECTORY, layoutOf } from '../base/layout.js'
import { monotonicMs } from '../base/monotonic.js'
import { sharedState } from '../base/shared-state.js'
import { Blobs } from '../blobs/blobs.js'
import { Counters } from '../counters/counters.js'
import { createInputLists, type InputListStore } from '../entries/input-lists.js'
import { createFileHashes, type FileHashMap } from '../file-hashes/file-hashes.js'
import { blind } from '../files/blind.js'
import { Descriptors } from '../files/descriptors.js'
import { type Files, nodeFiles } from '../files/files.js'
import { changingInside } from '../files/inside.js'
import { memoryFiles } from '../files/memory.js'
import { patient } from '../files/patient.js'
import { assertInside } from '../files/places.js'
import { likeRoot } from '../files/shared.js'
import { sparing } from '../files/sparing.js'
import { type Hashing, sharedHashing } from '../hashing/hashing.js'
import type { SnapshotMeans } from '../inputs/snapshot.js'
import { type Environment, Tick } from '../log/environment.js'
import { HashSeed } from '../log/hash-seed.js'
import { Manifest } from '../manifest/manifest.js'
import { Projects } from '../project/project.js'
import type { User } from './dangers.js'
import { currentUser, MEMORY_ROOTS, Root } from './root.js'
import { createSnapshotMeans } from './snapshot-means.js'
import { summarizeAtExit } from './summary.js'

/** The disk, hash functions and random numbers, which tests replace. */
export interface Substitutes {
  files?: Files
  hashing?: Hashing
  random?: () => number
  user?: User
}

export interface StorageOptions {
  dir: string
  readOnly: boolean
  trustRoot: boolean
}

export interface NamespaceStorage {
  manifest: Manifest
  counters: Counters
}

type Report = (error: unknown) => void

/** Pending data is written after this long. */
const FLUSH_MS = 1000
/** A flush pauses after this. */
const FLUSH_SLICE_MS = 20
/** From this many counts on a timer writes them; fewer are written by the next call. */
const MIN_TIMED_COUNT = 16

const opened = new Map<string, Storage>()
let openedCount = 0
let isListening = false

export class Storage {
  readonly layout: Layout
  readonly environment: Environment
  readonly blobs: Blobs
  readonly projects: Projects
  /** Identifies the storage in this process. */
  readonly id = String(++openedCount)
  readonly root: Root
  readonly #name: string
  /** The disk, and a view of the disk that hides the root. */
  readonly #visible: Files
  #hidden: Files | undefined
  /** The generation of the root that the open files belong to. */
  #generation = 0
  /** The counters that this thread has used, by directory. */
  readonly namespaces = new Map<string, NamespaceStorage>()
  #fileHashes: FileHashMap | undefined
  #lists: InputListStore | undefined
  #snapshotMeans: SnapshotMeans | undefined
  readonly #users = new Set<Report>()
  #isIndexing = false
  /** When the oldest pending data was gathered, in ms of the process's life. */
  #gatheredAt: number | undefined
  #flushTimer: NodeJS.Timeout | undefined
  /** The remaining steps of a flush that ended early. */
  #unflushed: MapIterator<NamespaceStorage> | undefined

  /** Returns the root's storage. `report` is called with errors of writing at exit. */
  static open({ dir, readOnly, trustRoot }: StorageOptions, report: Report, substitutes?: Substitutes): Storage {
    const name = `${readOnly ? 'read' : 'write'} ${trustRoot ? 'trusted ' : ''}${dir}`
    const known = substitutes ? undefined : opened.get(name)
    if (known) known.#lookAtRoot()
    const storage = known ?? new Storage(name, { dir, readOnly, trustRoot }, substitutes ?? {})
    if (!substitutes) opened.set(name, storage)
    if (!known && process.env.WICKED_CACHE_SUMMARY === '1') ifThere(report, undefined, () => summarizeAtExit(storage))
    storage.#users.add(report)
    if (!isListening) {
      isListening = true
      sharedState().exitTasks.add(() => {
        for (const each of opened.values()) each.#flushAndReport()
      })
    }
    return storage
  }

  private constructor(name: string, { dir, readOnly, trustRoot }: StorageOptions, substitutes: Substitutes) {
    const disk = changingInside(substitutes.files ?? filesFor(dir), dir)
    const hashing = substitutes.hashing ?? sharedHashing()
    const random = substitutes.random ?? Math.random
    const user = substitutes.user ?? currentUser()
    this.#name = name
    this.layout = layoutOf(dir)
    const open = sparing(disk, () => this.environment.descriptors.closeAll())
    this.#visible = trustRoot && user ? likeRoot(open, () => this.root.access) : open
    this.root = new Root(this.#visible, this.layout, trustRoot ? undefined : user)
    // One object that everyone holds, so that the root can be hidden from all of them.
    const files = { ...this.#visible }
    const descriptors = new Descriptors(files, path => assertInside(disk, dir, 'write', path))
    this.environment = {
      files,
      descriptors,
      hashing,
      hashSeed: new HashSeed(files, descriptors, this.layout.hashSeed, random),
      tick: new Tick(() => this.#lookAtRoot()),
      random,
      readOnly,
      prepare: () => this.root.prepare(),
      rootGeneration: () => this.root.generation,
    }
    this.blobs = new Blobs(this.environment, this.layout)
    this.projects = new Projects(files)
    this.#hideOrShow()
  }

  get fileHashes(): FileHashMap {
    this.#fileHashes ??= createFileHashes(this.environment, this.layout.fileHashes, 'file-hashes')
    return this.#fileHashes
  }

  get lists(): InputListStore {
    if (!this.#lists) {
      const { environment, blobs, layout } = this
      const { manifest } = this.namespace(LISTS_DIRECTORY)
      this.#lists = createInputLists({ root: layout.root, environment, blobs, manifest })
    }
    return this.#lists
  }

  get snapshotMeans(): SnapshotMeans {
    this.#snapshotMeans ??= createSnapshotMeans(this, error => this.#reportToAll(error))
    return this.#snapshotMeans
  }

  /** Why the root can't be used now; undefined if it can. */
  problem(): CacheError | undefined {
    this.environment.tick.current()
    return this.root.problem
  }

  #lookAtRoot(): void {
    const { root } = this
    if (!root.hasChanged() && root.generation === this.#generation) return
    if (root.generation !== this.#generation) this.#closeFiles()
    this.#generation = root.generation
    if (this.#hideOrShow()) this.#reportToAll(root.problem)
  }

  /** Returns whether the root has just been hidden. */
  #hideOrShow(): boolean {
    const { files } = this.environment
    if (this.root.problem) this.#hidden ??= blind(this.#visible, this.layout.root)
    const shown = (this.root.problem && this.#hidden) || this.#visible
    if (files.list === shown.list) return false
    Object.assign(files, shown)
    return shown === this.#hidden
  }

  /** Writes file hashes if many are pending. */
  flushFileHashes(report: Report): void {
    this.#fileHashes?.flushIfDue(report)
  }

  namespace(directory: string): NamespaceStorage {
    let storage = this.namespaces.get(directory)
    if (!storage) {
      storage = this.create(directory)
      this.namespaces.set(directory, storage)
    }
    return storage
  }

  /** Opens a namespace without keeping it open, since there may be tens of thousands. */
  create(directory: string): NamespaceStorage {
    const identity = `namespaces/${directory}`
    return {
      manifest: new Manifest(this.environment, this.layout.manifest(directory), `${identity}/manifest`),
      counters: new Counters(this.environment, this.layout.counters(directory), `${identity}/counters`, count =>
        this.#flushSoon(count),
      ),
    }
  }

  /** Schedules a flush within seconds, so that a killed process or a terminated worker loses little. */
  #flushSoon(count: number): void {
    if (this.environment.readOnly || this.#flushTimer) return
    const now = monotonicMs()
    this.#gatheredAt ??= now
    // A process with few calls writes at exit. Its first timer would cost most of a millisecond.
    if (count < MIN_TIMED_COUNT && now - this.#gatheredAt < FLUSH_MS) return
    const delayMs = Math.max(0, FLUSH_MS - (now - this.#gatheredAt))
    this.#flushIn(delayMs)
  }

  #flushIn(delayMs: number): void {
    this.#flushTimer = setTimeout(() => {
      this.#flushTimer = undefined
      this.#gatheredAt = undefined
      const start = monotonicMs()
      const isOver = () => monotonicMs() - start >= FLUSH_SLICE_MS
      // Give other code of the process a chance to run before the rest is written.
      if (!this.#flushAndReport(isOver)) this.#flushIn(FLUSH_SLICE_MS)
    }, delayMs).unref()
  }

  /** Schedules indexing of new blobs for the end of the tick; does it now if there are many. */
  indexSoon(report: Report): void {
    if (this.blobs.isFlushDue) this.#index(report)
    if (this.#isIndexing) return
    this.#isIndexing = true
    queueMicrotask(() => {
      this.#isIndexing = false
      this.#index(report)
    })
  }

  #index(report: Report): void {
    try {
      this.blobs.flush()
    } catch (error) {
      report(error)
    }
  }

  /**
   * Writes pending data: index records of new blobs, counts, uses of entries, file hashes. Ends early once `isOver` returns
   * true, and continues when it is called again. Returns whether all is written.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  flush(isOver?: () => boolean): boolean {
    if (this.environment.readOnly || this.problem()) return true
    this.blobs.flush()
    const namespaces = (isOver && this.#unflushed) || this.namespaces.values()
    this.#unflushed = isOver && namespaces
    for (const { counters, manifest } of namespaces) {
      counters.flush()
      manifest.flush()
      if (isOver?.()) return false
    }
    this.#unflushed = undefined
    this.#fileHashes?.flush()
    return true
  }

  /** Releases one use. Releasing the last one closes all files. */
  close(report: Report): void {
    this.#users.delete(report)
    if (this.#users.size > 0) return
    if (opened.get(this.#name) === this) opened.delete(this.#name)
    clearTimeout(this.#flushTimer)
    this.#flushTimer = undefined
    this.#gatheredAt = undefined
    this.#closeFiles()
  }

  #closeFiles(): void {
    for (const storage of this.namespaces.values()) closeAll(storage)
    this.#fileHashes?.close()
    this.blobs.close()
    this.environment.descriptors.closeAll()
  }

  #flushAndReport(isOver?: () => boolean): boolean {
    try {
      return this.flush(isOver)
    } catch (error) {
      this.#reportToAll(error)
      return true
    }
  }

  #reportToAll(error: unknown): void {
    for (const report of this.#users) report(error)
  }
}

function filesFor(dir: string): Files {
  const real = process.platform === 'win32' ? patient(nodeFiles) : nodeFiles
  return dir.startsWith(MEMORY_ROOTS) ? memoryFiles(real, dir) : real
}

function closeAll({ manifest, counters }: NamespaceStorage): void {
  manifest.close()
  counters.close()
}
