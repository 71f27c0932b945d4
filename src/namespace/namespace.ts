// What a plugin works with. Its options and arguments are checked, and what it asks for is done, in other files: entries by
// `entries`, what computes by `compute`.

import type {
  AnalysesOf,
  AnalysisKey,
  AnalyzeContext,
  AnalyzeOptions,
  CallKey,
  ComputeContext,
  EntryInfo,
  Explanation,
  GetOrSetOptions,
  ListOptions,
  Namespace,
  NamespaceOptions,
  NamespaceStats,
  PathLike,
  SetManyEntry,
  SetOptions,
  SourceText,
  WrapOptions,
} from '../api/index.js'
import { assertFlag, assertOptions, refuseOption } from '../base/options.js'
import { analyze, analyzeSync, getOrSet, getOrSetSync, wrap, wrapSync } from '../compute/computing.js'
import { currentComputation } from '../compute/frame.js'
import { Entries, type EntryOptions } from '../entries/entries.js'
import { valueDigest } from '../entries/entry-digest.js'
import type { NamespaceStore } from '../entries/store.js'
import type { Item } from '../entries/write.js'
import { entryName } from '../inputs/entry-name.js'
import { type Input, inputOf, NO_DIGEST } from '../inputs/input.js'
import type { Snapshot } from '../inputs/snapshot.js'
import { isImpossible } from '../inputs/source.js'
import type { Entry, RemovalCause } from '../manifest/entry.js'
import type { KeyParts } from '../manifest/key.js'
import type { ListedEntry } from '../manifest/manifest.js'
import { recordPath, workingDirectory } from '../project/project.js'
import { explain } from './explain.js'
import { findAnalyses } from './find.js'
import { infoOf } from './info.js'
import {
  assertEntries,
  checkNamespaceOptions,
  checkProject,
  checkSetManyEntry,
  checkSetOptions,
  type Lifetime,
} from './options.js'
import { namespaceStats } from './stats.js'

export class NamespaceHandle implements Namespace {
  readonly name: string
  readonly version: string
  readonly #store: NamespaceStore
  readonly #options: EntryOptions
  /** Absolute; null: user-wide; undefined: that of the working directory. */
  readonly #projectDir: string | null | undefined
  readonly #byProject = new Map<string | undefined, Entries>()
  #cwd: string | undefined
  #current: Entries | undefined

  /** @throws CacheError `ERR_CACHE_OPTION` */
  constructor(store: NamespaceStore, options: EntryOptions, projectDir: string | null | undefined) {
    this.#store = store
    this.#options = options
    this.#projectDir = projectDir
    this.name = store.name
    this.version = options.version
  }

  get project(): string | null {
    return this.#entries.project?.dir ?? null
  }

  in(project: PathLike | false): Namespace {
    if (project === undefined) throw refuseOption('in takes the path of a project, or false.', project)
    return new NamespaceHandle(this.#store, this.#options, checkProject(this.#store.environment.files, project))
  }

  set(key: string, value: unknown, options?: SetOptions): boolean {
    const entries = this.#entries
    const lifetime = checkSetOptions(this.#store.environment.files, options)
    return entries.set([this.#item(entries, key, lifetime, entries.encodeValue(value))]) > 0
  }

  setMany(list: Iterable<SetManyEntry>): number {
    const entries = this.#entries
    const { files } = this.#store.environment
    // One for all: a file that several entries name is looked at once.
    const snapshot = this.#store.snapshot()
    const items = assertEntries(list).map(entry => {
      const lifetime = checkSetManyEntry(files, entry)
      return this.#item(entries, entry.key, lifetime, Buffer.from(entries.encodeValue(entry.value)), snapshot)
    })
    return entries.set(items)
  }

  get<V = unknown>(key: string): V | undefined {
    const entries = this.#entries
    const { value, entry } = withEntry(entries.get(key))
    if (currentComputation()) this.#recordRead(entries, key, entry)
    return value as V | undefined
  }

  getMany<V = unknown>(keys: readonly string[]): (V | undefined)[] {
    if (!Array.isArray(keys)) throw refuseOption('getMany takes a list of keys.', keys)
    return keys.map(key => this.get<V>(key))
  }

  has(key: string): boolean {
    const entries = this.#entries
    this.#store.expectOpen()
    const { entry } = withEntry(entries.look(key))
    if (currentComputation()) this.#recordRead(entries, key, entry)
    return entry !== undefined
  }

  async getOrSet<V>(
    key: string,
    compute: (context: ComputeContext) => V | Promise<V>,
    options?: GetOrSetOptions,
  ): Promise<V> {
    return (await getOrSet(this.#entries, key, compute, options)) as V
  }

  getOrSetSync<V>(key: string, compute: (context: ComputeContext) => V, options?: GetOrSetOptions): V {
    return getOrSetSync(this.#entries, key, compute, options) as V
  }

  async analyze<V>(
    name: string,
    file: PathLike | SourceText,
    compute: (context: AnalyzeContext) => V | Promise<V>,
    options?: AnalyzeOptions,
  ): Promise<V> {
    return (await analyze(this.#entries, name, file, compute, options)) as V
  }

  analyzeSync<V>(
    name: string,
    file: PathLike | SourceText,
    compute: (context: AnalyzeContext) => V,
    options?: AnalyzeOptions,
  ): V {
    return analyzeSync(this.#entries, name, file, compute, options) as V
  }

  wrap<Args extends unknown[], R>(name: string, fn: (...args: Args) => R, options?: WrapOptions<Args>) {
    return wrap(() => this.#entries, name, fn, options) as (...args: Args) => Promise<Awaited<R>>
  }

  wrapSync<Args extends unknown[], R>(name: string, fn: (...args: Args) => R, options?: WrapOptions<Args>) {
    return wrapSync(() => this.#entries, name, fn, options) as (...args: Args) => R
  }

  explain(key: string | AnalysisKey | CallKey): Explanation {
    currentComputation()?.recorder.spoil()
    return explain(this.#entries, key)
  }

  delete(key: string): boolean {
    return this.#remove(key, 'deleted')
  }

  invalidate(key: string): boolean {
    return this.#remove(key, 'invalidated')
  }

  clear(options?: { allProjects?: boolean }): number {
    const { allProjects = false } = assertOptions('clear', options, ['allProjects'])
    assertFlag('allProjects', allProjects)
    this.#store.expectOpen()
    const entries = this.#entries
    let count = 0
    entries.write(() => {
      const { manifest } = this.#store
      count = allProjects ? manifest.clear() : manifest.clearSome(parts => isOf(entries, parts))
    })
    return count
  }

  *keys(options?: ListOptions): IterableIterator<string> {
    for (const { kind, key } of this.#listed(options)) if (kind === 'plain') yield key
  }

  *entries(options?: ListOptions): IterableIterator<EntryInfo> {
    const entries = this.#entries
    for (const listed of this.#listed(options)) yield infoOf(entries, listed, listed.entry)
  }

  find(key: string | AnalysesOf): EntryInfo[] {
    currentComputation()?.recorder.spoil()
    const entries = this.#entries
    if (typeof key === 'object' && key !== null && 'file' in key) return findAnalyses(entries, key)
    const entryKey = entries.keyOf(key)
    return entries.attempt([], () =>
      this.#store.manifest.lookEverywhere(entryKey).flatMap(listed => {
        return listed.kind === 'plain' ? infoOf(entries, listed, listed.entry) : []
      }),
    )
  }

  stats(): NamespaceStats {
    this.#store.expectOpen()
    currentComputation()?.recorder.spoil()
    return namespaceStats(this.#store)
  }

  /** Those of the project that the handle is for now. */
  get #entries(): Entries {
    if (this.#projectDir !== undefined) {
      // A link may lead elsewhere by now.
      if (!this.#current || this.#current.project?.alias !== undefined) {
        this.#current = this.#entriesOf(this.#projectDir)
      }
      return this.#current
    }
    const cwd = workingDirectory()
    if (this.#current && cwd === this.#cwd) return this.#current
    this.#cwd = cwd
    this.#current = this.#entriesOf(undefined, cwd)
    return this.#current
  }

  #entriesOf(dir: string | null | undefined, cwd?: string): Entries {
    const { projects } = this.#store
    const project =
      dir === null ? null : dir !== undefined ? projects.at(dir) : cwd === undefined ? undefined : projects.of(cwd)
    const name = project === null ? '' : project?.dir
    const isByDirectory = this.#projectDir === undefined
    const entries = this.#byProject.get(name) ?? new Entries(this.#store, this.#options, project, isByDirectory)
    this.#byProject.set(name, entries)
    return entries
  }

  #item(entries: Entries, key: string, { ttlMs, files }: Lifetime, bytes: Uint8Array, snapshot?: Snapshot): Item {
    const inputs = files && this.#inputsOf(entries, files, snapshot ?? this.#store.snapshot())
    return { key: entries.keyOf(key), bytes, ttlMs, inputs }
  }

  /** The files as they are now. */
  #inputsOf(entries: Entries, files: NonNullable<Lifetime['files']>, snapshot: Snapshot): Input[] {
    return files.flatMap(({ absolute, isThroughLink }) => {
      // There can be no such file, ever.
      if (isImpossible(absolute) && !isThroughLink) return []
      const { path, isRelative } = recordPath(entries.project, absolute)
      const look = () => (isThroughLink ? undefined : snapshot.source(absolute).input())
      const input = entries.attempt(undefined, look)
      // What can't be recorded is never as it was.
      return { ...(input ?? inputOf('error', '', false, NO_DIGEST, 'unrecordable')), path, isRelative }
    })
  }

  /** The value that was read, or that there was none, is an input of the computation that reads it. */
  #recordRead(entries: Entries, key: string, entry: Entry | undefined): void {
    const recorder = currentComputation()?.recorder
    if (!recorder) return
    const own = this.#projectDir === null ? ('user' as const) : ('project' as const)
    const scopes = this.#options.isPortable ? [own, 'portable' as const] : [own]
    const { snapshotMeans, directory } = this.#store
    const isRecorded = entries.attempt(false, () => {
      if (!recorder.knows(this.#store.lists)) return false
      recorder.askThrough(entries)
      const snapshot = this.#store.snapshot()
      const asker = entries.asker()
      const read = entry ? valueDigest(entry) : NO_DIGEST
      const found = scopes.map(scope => {
        const name = { namespace: directory, version: this.version, scope, project: '', key }
        const digest = snapshotMeans.entryDigest(entryName(name), asker, snapshot) ?? NO_DIGEST
        const isSameProject = recorder.project?.dir === entries.project?.dir
        const project = scope !== 'user' && !isSameProject ? (entries.project?.dir ?? '') : ''
        recorder.add(inputOf('entry', entryName({ ...name, project }), false, digest))
        return digest
      })
      // Others may have changed it between the two looks.
      return (found.find(digest => !digest.equals(NO_DIGEST)) ?? NO_DIGEST).equals(read)
    })
    if (!isRecorded) recorder.spoil()
  }

  #remove(key: string, cause: RemovalCause): boolean {
    const entries = this.#entries
    const scopes = this.#options.isPortable ? [undefined, 'portable' as const] : [undefined]
    const keys = scopes.map(scope => entries.keyOf(key, 'plain', scope))
    let wasThere = false
    const isDone = entries.write(() => {
      const { manifest } = this.#store
      for (const entryKey of keys) {
        const { head } = manifest.look(entryKey)
        if (head?.entry) wasThere = true
        // A computation of the key that is running must see that it is void.
        if (head) manifest.write([{ key: entryKey, removal: { cause } }])
      }
    })
    return isDone && wasThere
  }

  *#listed(options?: ListOptions): IterableIterator<ListedEntry> {
    const { allVersions = false, allProjects = false } = assertOptions('entries', options, [
      'allVersions',
      'allProjects',
    ])
    this.#store.expectOpen()
    currentComputation()?.recorder.spoil()
    const entries = this.#entries
    for (const listed of this.#guarded(this.#store.manifest.entries(error => this.#store.report(error)))) {
      if (listed.isAnswer || (!allVersions && listed.version !== this.version)) continue
      if (allProjects || isOf(entries, listed)) yield listed
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

/** Whether a key belongs to the project of the entries, or to every checkout. */
function isOf({ project, hasKeys }: Entries, { scope, project: dir }: KeyParts): boolean {
  if (scope === 'portable') return true
  return scope === 'project' ? project?.dir === dir : project === undefined && hasKeys
}

function withEntry(outcome: { value?: unknown; entry?: Entry }): { value?: unknown; entry?: Entry | undefined } {
  return outcome
}

/** The handle's options. @throws CacheError `ERR_CACHE_OPTION` */
export function createNamespace(store: NamespaceStore, options: NamespaceOptions | undefined): NamespaceHandle {
  const projectDir = checkProject(store.environment.files, options?.project)
  return new NamespaceHandle(store, checkNamespaceOptions(options), projectDir)
}
