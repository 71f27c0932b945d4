// The handle that a plugin works with. Other files check its options and do the work: `setting` and `entries` for stored
// entries, `compute` for computing calls.

import type {
  AnalysesOf,
  AnalysisKey,
  AnalyzeContext,
  AnalyzeOptions,
  CallKey,
  ClearOptions,
  ComputeContext,
  EntryInfo,
  Explanation,
  GetOrSetOptions,
  ListOptions,
  Namespace,
  NamespaceOptions,
  NamespaceStats,
  PathLike,
  PrefetchKey,
  SetManyEntry,
  SetOptions,
  SourceText,
  WrapOptions,
} from '../api/index.js'
import { ifThere } from '../base/errors.js'
import { refuseOption } from '../base/options.js'
import { analyze, analyzeSync, getOrSet, getOrSetSync, wrapped } from '../compute/computing.js'
import { currentComputation } from '../compute/frame.js'
import { prefetch } from '../compute/prefetch.js'
import { computeUncached, type Said } from '../compute/uncached.js'
import { Entries, type EntryOptions } from '../entries/entries.js'
import type { NamespaceStore } from '../entries/store.js'
import type { Entry } from '../manifest/entry.js'
import { workingDirectory } from '../project/project.js'
import { deleteMany, peek } from './comforts.js'
import { explain } from './explain.js'
import { findEntries, infosOf, keysOf } from './listing.js'
import { checkNamespaceOptions, checkProject } from './options.js'
import { recordRead } from './read-as-input.js'
import { clearEntries, removeEntries, setEntries, setEntry } from './setting.js'
import { namespaceStats } from './stats.js'

export class NamespaceHandle implements Namespace {
  readonly name: string
  readonly version: string
  readonly #store: NamespaceStore
  readonly #options: EntryOptions
  /** The project's directory, absolute; null: user-wide; undefined: the project of the working directory. */
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
    return new NamespaceHandle(this.#store, this.#options, checkProject(this.#store, project))
  }

  set(key: string, value: unknown, options?: SetOptions): boolean {
    return this.#ifThere(false, () => setEntry(this.#entries, key, value, options))
  }

  setMany(list: Iterable<SetManyEntry>): number {
    return this.#ifThere(0, () => setEntries(this.#entries, list))
  }

  get<V = unknown>(key: string): V | undefined {
    const entries = this.#entries
    const { value, entry } = entries.get(key)
    this.#recordRead(entries, key, entry)
    return value as V | undefined
  }

  getMany<V = unknown>(keys: readonly string[]): (V | undefined)[] {
    if (!Array.isArray(keys)) throw refuseOption('getMany takes a list of keys.', keys)
    return keys.map(key => this.get<V>(key))
  }

  has(key: string): boolean {
    const entries = this.#entries
    this.#store.assertOpen()
    const { entry } = entries.look(key)
    this.#recordRead(entries, key, entry)
    return entry !== undefined
  }

  async getOrSet<V>(
    key: string,
    compute: (context: ComputeContext) => V | Promise<V>,
    options?: GetOrSetOptions,
  ): Promise<V> {
    return this.#ask(entries => getOrSet(entries, key, compute, options), compute, options)() as V
  }

  getOrSetSync<V>(key: string, compute: (context: ComputeContext) => V, options?: GetOrSetOptions): V {
    return this.#ask(entries => getOrSetSync(entries, key, compute, options), compute, options)() as V
  }

  async analyze<V>(
    name: string,
    file: PathLike | SourceText,
    compute: (context: AnalyzeContext) => V | Promise<V>,
    options?: AnalyzeOptions,
  ): Promise<V> {
    return this.#ask(entries => analyze(entries, name, file, compute, options), compute, options, file)() as V
  }

  analyzeSync<V>(
    name: string,
    file: PathLike | SourceText,
    compute: (context: AnalyzeContext) => V,
    options?: AnalyzeOptions,
  ): V {
    return this.#ask(entries => analyzeSync(entries, name, file, compute, options), compute, options, file)() as V
  }

  wrap<Args extends unknown[], R>(name: string, fn: (...args: Args) => R, options?: WrapOptions<Args>) {
    const call = this.#wrap(name, fn, options, false)
    return async function wrapped(this: unknown, ...args: Args) {
      return call(this, args)()
    } as (...args: Args) => Promise<Awaited<R>>
  }

  wrapSync<Args extends unknown[], R>(name: string, fn: (...args: Args) => R, options?: WrapOptions<Args>) {
    const call = this.#wrap(name, fn, options, true)
    return function wrapped(this: unknown, ...args: Args) {
      return call(this, args)() as R
    }
  }

  async prefetch(questions: Iterable<PrefetchKey>): Promise<number> {
    return this.#ifThere<number | Promise<number>>(0, () => prefetch(this.#entries, questions))
  }

  explain(key: string | AnalysisKey | CallKey): Explanation {
    currentComputation()?.recorder.spoil()
    return explain(this.#entries, key)
  }

  peek<V = unknown>(key: string): V | undefined {
    return this.#ifThere(undefined, () => peek(this.#entries, key)) as V | undefined
  }

  delete(key: string): boolean {
    return this.#ifThere(false, () => removeEntries(this.#entries, [key], 'deleted') > 0)
  }

  deleteMany(keys: readonly string[]): number {
    return this.#ifThere(0, () => deleteMany(this.#entries, keys))
  }

  invalidate(key: string): boolean {
    return this.#ifThere(false, () => removeEntries(this.#entries, [key], 'invalidated') > 0)
  }

  clear(options?: ClearOptions): number {
    return this.#ifThere(0, () => clearEntries(this.#entries, options))
  }

  *keys(options?: ListOptions): IterableIterator<string> {
    yield* this.#ifThere<Iterable<string>>([], () => keysOf(this.#entries, options))
  }

  *entries(options?: ListOptions): IterableIterator<EntryInfo> {
    yield* this.#ifThere<Iterable<EntryInfo>>([], () => infosOf(this.#entries, options))
  }

  find(key: string | AnalysesOf): EntryInfo[] {
    currentComputation()?.recorder.spoil()
    return this.#ifThere([], () => findEntries(this.#entries, key))
  }

  stats(): NamespaceStats {
    this.#store.assertOpen()
    currentComputation()?.recorder.spoil()
    return namespaceStats(this.#store)
  }

  #ifThere<T>(fallback: T, work: () => T): T {
    return ifThere(this.#store.report, fallback, work)
  }

  /** What answers the question that `prepare` makes of the arguments, or calls the author's function without the cache. */
  #ask(
    prepare: (entries: Entries) => (() => unknown) | undefined,
    compute: (context: never) => unknown,
    options: Said | undefined,
    file?: PathLike | SourceText,
  ): () => unknown {
    const entries = this.#entries
    const ask = this.#ifThere(undefined, () => prepare(entries))
    return ask ?? (() => computeUncached(entries, compute, options, file))
  }

  #wrap<Args extends unknown[]>(
    name: string,
    fn: (...args: Args) => unknown,
    options: WrapOptions<Args> | undefined,
    isSync: boolean,
  ): (self: unknown, args: Args) => () => unknown {
    const questionOf = this.#ifThere(undefined, () => wrapped(() => this.#entries, name, fn, options, isSync))
    return (self, args) =>
      this.#ask(
        () => questionOf?.(self, args),
        () => fn.apply(self, args),
        options as Said,
      )
  }

  #recordRead(entries: Entries, key: string, entry: Entry | undefined): void {
    const computation = currentComputation()
    if (!computation) return
    const isUnknown = this.#ifThere(true, () => void recordRead(entries, key, entry))
    if (isUnknown) computation.recorder.spoil()
  }

  /** The entries of the handle's current project. */
  get #entries(): Entries {
    if (this.#projectDir !== undefined) {
      // The link may lead elsewhere by now.
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
}

/** The handle's options. @throws CacheError `ERR_CACHE_OPTION` */
export function createNamespace(store: NamespaceStore, options: NamespaceOptions | undefined): NamespaceHandle {
  const projectDir = checkProject(store, options?.project)
  return new NamespaceHandle(store, checkNamespaceOptions(options), projectDir)
}
