// The storage objects of one root, shared by all caches of the process that have it open: a linter may load a dozen
// plugins that each open the default cache, and they see each other's sets at once and keep one copy of what was read.
// One listener on process exit serves all roots: each cache adding its own would soon bring Node's warning about too
// many listeners into the host's output.

import { join } from 'node:path'
import type { CacheError } from '../base/errors.js'
import { type Layout, LISTS_DIRECTORY, layoutOf } from '../base/layout.js'
import { sharedState } from '../base/shared-state.js'
import { Blobs } from '../blobs/blobs.js'
import { Counters } from '../counters/counters.js'
import { entryDigest } from '../entries/entry-digest.js'
import { InputListStore } from '../entries/input-lists.js'
import { FileHashMap } from '../file-hashes/file-hashes.js'
import { blind } from '../files/blind.js'
import { Descriptors } from '../files/descriptors.js'
import { type Files, nodeFiles } from '../files/files.js'
import { createOverlay } from '../files/overlay.js'
import { type Hashing, sharedHashing } from '../hashing/hashing.js'
import type { SnapshotMeans } from '../inputs/snapshot.js'
import type { FileHashes } from '../inputs/source.js'
import { type Environment, Turn } from '../log/environment.js'
import { Manifest } from '../manifest/manifest.js'
import { Projects } from '../project/project.js'
import { currentUser, prepareRoot, rootProblem, type User } from './root.js'

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

const opened = new Map<string, Storage>()
let openedCount = 0
let isListening = false

export class Storage {
  readonly layout: Layout
  readonly environment: Environment
  readonly blobs: Blobs
  readonly fileHashes: FileHashMap
  readonly lists: InputListStore
  readonly projects: Projects
  readonly snapshotMeans: SnapshotMeans
  /** Names it in this process. */
  readonly id = String(++openedCount)
  readonly #name: string
  readonly #user: User | undefined
  readonly #namespaces = new Map<string, NamespaceStorage>()
  readonly #users = new Set<Report>()
  #isIndexing = false

  /** The root's storage; `report` is told what goes wrong when it is written to at exit. */
  static open({ dir, readOnly, trustRoot }: StorageOptions, report: Report, substitutes?: Substitutes): Storage {
    const name = `${readOnly ? 'read' : 'write'} ${trustRoot ? 'trusted ' : ''}${dir}`
    const storage =
      (substitutes ? undefined : opened.get(name)) ?? new Storage(name, { dir, readOnly, trustRoot }, substitutes ?? {})
    if (!substitutes) opened.set(name, storage)
    storage.#users.add(report)
    if (!isListening) {
      isListening = true
      sharedState().exitTasks.add(() => {
        for (const each of opened.values()) each.#flushAtExit()
      })
    }
    return storage
  }

  private constructor(name: string, { dir, readOnly, trustRoot }: StorageOptions, substitutes: Substitutes) {
    const files = substitutes.files ?? nodeFiles
    const hashing = substitutes.hashing ?? sharedHashing()
    const user = trustRoot ? undefined : (substitutes.user ?? currentUser())
    this.#name = name
    this.layout = layoutOf(dir)
    this.environment = {
      files,
      descriptors: new Descriptors(files),
      hashing,
      turn: new Turn(),
      random: substitutes.random ?? Math.random,
      readOnly,
      prepare: () => prepareRoot(files, this.layout, user),
    }
    this.#user = user
    this.blobs = new Blobs(this.environment, this.layout)
    this.fileHashes = new FileHashMap(this.environment, this.layout.fileHashes, 'file-hashes')
    const { manifest } = this.namespace(LISTS_DIRECTORY)
    this.lists = new InputListStore({ environment: this.environment, blobs: this.blobs, manifest })
    this.projects = new Projects(files)
    const { environment, projects } = this
    const entryMeans = { environment, projects, manifestOf: (directory: string) => this.namespace(directory).manifest }
    this.snapshotMeans = {
      files,
      hashing,
      fileHashes: this.#guardedHashes(),
      list: id => this.lists.load(id),
      listId: inputs => this.lists.idOf(inputs),
      entryDigest: (name, asker, snapshot) => entryDigest(entryMeans, name, asker, snapshot),
    }
  }

  /** Why the root cannot be used now. */
  problem(): CacheError | undefined {
    return rootProblem(this.environment.files, this.layout, this.#user)
  }

  /** Ends this use in favour of a storage that finds nothing, of a root that must not be read: its values may be forged. */
  blinded(report: Report): Storage {
    this.close(report)
    const { files, hashing, random, readOnly } = this.environment
    const options = { dir: this.layout.root, readOnly, trustRoot: false }
    return Storage.open(options, report, { files: blind(files, this.layout.root), hashing, random })
  }

  /** Does work on the same root that changes nothing of it: what it writes is kept beside it meanwhile, and thrown away. */
  async overlaid<T>(report: Report, work: (storage: Storage) => Promise<T>): Promise<T> {
    const { files, hashing, random } = this.environment
    const { tmpdir } = process.getBuiltinModule('node:os')
    const scratch = join(tmpdir(), `wicked-cache-${process.pid}-${random().toString(36).slice(2)}`)
    const overlay = createOverlay(files, scratch)
    const options = { dir: this.layout.root, readOnly: false, trustRoot: true }
    const storage = Storage.open(options, report, { files: overlay.files, hashing, random })
    try {
      return await work(storage)
    } finally {
      storage.close(report)
      overlay.close()
    }
  }

  /** The computations of a host go on where what is remembered can't be read. */
  #guardedHashes(): FileHashes {
    const guarded = <T>(work: () => T): T | undefined => {
      try {
        return work()
      } catch (error) {
        for (const report of this.#users) report(error)
        return undefined
      }
    }
    return {
      recall: name => guarded(() => this.fileHashes.recall(name)),
      remember: (name, input) => guarded(() => this.fileHashes.remember(name, input)),
    }
  }

  namespace(directory: string): NamespaceStorage {
    let storage = this.#namespaces.get(directory)
    if (!storage) {
      const identity = `namespaces/${directory}`
      storage = {
        manifest: new Manifest(this.environment, this.layout.manifest(directory), `${identity}/manifest`),
        counters: new Counters(this.environment, this.layout.counters(directory), `${identity}/counters`),
      }
      this.#namespaces.set(directory, storage)
    }
    return storage
  }

  /** Directories of the namespaces for which this process has counts that are not added up yet. */
  countedNamespaces(): string[] {
    return [...this.#namespaces].flatMap(([directory, { counters }]) => (counters.pendingCount > 0 ? directory : []))
  }

  /** Has the blobs that were put be indexed when the turn ends, or now where they are many. */
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
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  flush(): void {
    if (this.environment.readOnly) return
    this.blobs.flush()
    for (const { counters, manifest } of this.#namespaces.values()) {
      counters.flush()
      manifest.flush()
    }
    this.fileHashes.flush()
  }

  /** Ends one use; the last one closes all files. */
  close(report: Report): void {
    this.#users.delete(report)
    if (this.#users.size > 0) return
    if (opened.get(this.#name) === this) opened.delete(this.#name)
    for (const { manifest, counters } of this.#namespaces.values()) {
      manifest.close()
      counters.close()
    }
    this.fileHashes.close()
    this.blobs.close()
    this.environment.descriptors.closeAll()
  }

  #flushAtExit(): void {
    try {
      this.flush()
    } catch (error) {
      for (const report of this.#users) report(error)
    }
  }
}
