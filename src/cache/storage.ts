// The storage objects of one root, shared by all caches of the process that have it open: a linter may load a dozen
// plugins that each open the default cache, and they see each other's sets at once and keep one copy of what was read.
// What is kept in memory, and the files that are open, are of one directory: when another one is found at the root's path, as
// is looked at once a tick, all of that is given up. Where that one must not be used, nothing is found in it from then on.
//
// One listener on process exit serves all roots: each cache adding its own would soon bring Node's warning about too
// many listeners into the host's output.

import type { CacheError } from '../base/errors.js'
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
import { assertInside, changingInside } from '../files/inside.js'
import { memoryFiles } from '../files/memory.js'
import { patient } from '../files/patient.js'
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

/** What tests put in place of the disk, the hash function and chance. */
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
/** A timer writes so many counts or more, else the next call. */
const MIN_TIMED_COUNT = 16

const opened = new Map<string, Storage>()
let openedCount = 0
let isListening = false

export class Storage {
  readonly layout: Layout
  readonly environment: Environment
  readonly blobs: Blobs
  readonly projects: Projects
  /** Names it in this process. */
  readonly id = String(++openedCount)
  readonly root: Root
  readonly #name: string
  /** The disk, and the same without what is in the root. */
  readonly #visible: Files
  #hidden: Files | undefined
  /** Of the root that the open files belong to. */
  #generation = 0
  /** Those that this thread has used, by directory. */
  readonly namespaces = new Map<string, NamespaceStorage>()
  #fileHashes: FileHashMap | undefined
  #lists: InputListStore | undefined
  #snapshotMeans: SnapshotMeans | undefined
  readonly #users = new Set<Report>()
  #isIndexing = false
  /** When the first of what is not written yet was gathered, in ms of the process's life. */
  #gatheredAt: number | undefined
  #flushTimer: NodeJS.Timeout | undefined
  /** The rest of a flush that was ended early. */
  #unflushed: MapIterator<NamespaceStorage> | undefined

  /** The root's storage; `report` is told what goes wrong when it is written to at exit. */
  static open({ dir, readOnly, trustRoot }: StorageOptions, report: Report, substitutes?: Substitutes): Storage {
    const name = `${readOnly ? 'read' : 'write'} ${trustRoot ? 'trusted ' : ''}${dir}`
    const known = substitutes ? undefined : opened.get(name)
    if (known) known.#lookAtRoot()
    const storage = known ?? new Storage(name, { dir, readOnly, trustRoot }, substitutes ?? {})
    if (!substitutes) opened.set(name, storage)
    if (!known && process.env.WICKED_CACHE_SUMMARY === '1') summarizeAtExit(storage)
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
    // One object for all who hold it, so that the root can be hidden from them.
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

  /** Why the root cannot be used now. */
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

  /** Writes what was learned of files, where that is much. */
  flushFileHashes(report: Report): void {
    this.#fileHashes?.flushIfDue(report)
  }

  namespace(directory: string): NamespaceStorage {
    let storage = this.namespaces.get(directory)
    if (!storage) {
      storage = this.#create(directory)
      this.namespaces.set(directory, storage)
    }
    return storage
  }

  /** The same to be looked at for a moment: there may be tens of thousands. Undefined for what is no directory. */
  visit(directory: string): (NamespaceStorage & { close(): void }) | undefined {
    if (this.environment.files.linkStat(this.layout.namespace(directory))?.kind !== 'directory') return undefined
    const known = this.namespaces.get(directory)
    if (known) return { ...known, close: () => undefined }
    const visited = this.#create(directory)
    return { ...visited, close: () => closeAll(visited) }
  }

  #create(directory: string): NamespaceStorage {
    const identity = `namespaces/${directory}`
    return {
      manifest: new Manifest(this.environment, this.layout.manifest(directory), `${identity}/manifest`),
      counters: new Counters(this.environment, this.layout.counters(directory), `${identity}/counters`, count =>
        this.#flushSoon(count),
      ),
    }
  }

  /** Has what was gathered be written within seconds: a killed process, or a terminated worker, loses no more. */
  #flushSoon(count: number): void {
    if (this.environment.readOnly || this.#flushTimer) return
    const now = monotonicMs()
    this.#gatheredAt ??= now
    // A process that makes a few calls and ends writes at exit; its first timer would cost it most of a millisecond.
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
      // Others of the process have their turn before what is left.
      if (!this.#flushAndReport(isOver)) this.#flushIn(FLUSH_SLICE_MS)
    }, delayMs).unref()
  }

  /** Has the blobs that were put be indexed when the tick ends, or now where they are many. */
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
   * Writes what was gathered in memory: the index of new blobs, counts, which entries were used, what was learned of files.
   * Ends early once `isOver`, to go on with the rest when it is called like that again; returns whether all is written.
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

  /** Ends one use; the last one closes all files. */
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
