// The context object that compute functions receive. It consists of bound functions, so that it can be destructured and spread.

import { dirname, normalize, resolve } from 'node:path'
import type { AnalyzeContext, ComputeContext, GlobOptions, PathLike } from '../api/index.js'
import { errnoOf, ifThere } from '../base/errors.js'
import { refuseOption } from '../base/options.js'
import { parseTtl } from '../base/units.js'
import type { FileStat, Files } from '../files/files.js'
import { checkDirectory, checkPatterns, globDetail, matchesBelow, selectFrom } from '../inputs/glob.js'
import { type Input, inputOf } from '../inputs/input.js'
import { type Asker, environmentDigest, type Snapshot, type SnapshotMeans } from '../inputs/snapshot.js'
import { isImpossible, type Source } from '../inputs/source.js'
import { isWithin, leadsOut } from '../project/paths.js'
import { currentComputation } from './frame.js'
import { type GivenPath, givenPath, givenPaths } from './paths.js'
import type { InputLists, Recorder } from './recorder.js'

export interface ContextInput {
  recorder: Recorder
  means: SnapshotMeans
  /** The base of its inputs' paths. */
  asker: Asker
  lists: InputLists
  /** Returns a snapshot of the current state; see `NamespaceStore.snapshot`. */
  snapshot(): Snapshot
  run<R>(fn: () => R): R
  untracked<R>(fn: () => R): R
  report(error: unknown): void
}

/** File systems and clocks count time in steps: a change shortly before a moment may in fact have happened after it. */
const CLOCK_STEP_MS = 15

/** Reads files, directories and variables for one computation, and records them as inputs. */
export class Observer {
  readonly #input: ContextInput
  readonly #recorder: Recorder

  constructor(input: ContextInput) {
    this.#input = input
    this.#recorder = input.recorder
  }

  /** Returns the content of the path. @throws as `fs.readFileSync` does */
  read(path: PathLike): Buffer {
    const given = this.#given(path)
    const source = this.#input.snapshot().source(given.absolute)
    const input = source.input(true)
    if (input) this.#record(input, given)
    else this.#spoil()
    if (input?.kind === 'file' && source.content) return source.content
    // Throws the error that the caller would have got without the cache.
    const content = this.#files.readAnyway(given.given)
    // The file has changed since it was recorded.
    if (input) this.#spoil()
    return content
  }

  exists(path: PathLike): boolean {
    const given = this.#given(path)
    if (given.isThroughLink) return this.#files.existsAnyway(given.given)
    if (isImpossible(given.absolute)) return false
    const { exists, error } = this.#input.snapshot().source(given.absolute)
    this.#record(inputOf(exists ? 'present' : 'missing', ''), given)
    return error === undefined ? exists : this.#files.existsAnyway(given.given)
  }

  readDirectory(path: PathLike): string[] {
    const given = this.#given(path)
    const source = this.#input.snapshot().source(given.absolute)
    const input = source.input(true)
    if (input) this.#record(input, given)
    else this.#spoil()
    if (input?.kind === 'directory' && source.items) return source.items.map(({ name }) => name).sort()
    const names = this.#files.listAnyway(given.given)
    if (input) this.#spoil()
    return names.sort()
  }

  /** Records files that were declared before the computation began. */
  declare(paths: readonly GivenPath[]): void {
    for (const given of paths) this.#name(given)
  }

  /** Records files that other code may have read already. */
  addDependency(paths: PathLike | Iterable<PathLike>): void {
    this.#recorder.assertRunning()
    for (const given of givenPaths(this.#files, paths)) {
      if (given.isRelative) this.#recordPlace(given)
      const source = this.#name(given)
      if (source && this.#mayHaveChanged(source)) this.#spoil()
    }
  }

  env(name: string): string | undefined {
    this.#recorder.assertRunning()
    if (typeof name !== 'string') throw refuseOption('A variable must be given by its name.', name)
    const value = process.env[name]
    this.#add(inputOf('environment', name, false, environmentDigest(this.#input.means, value)))
    return value
  }

  glob(patterns: string | readonly string[], options?: GlobOptions): string[] {
    this.#recorder.assertRunning()
    const list = checkPatterns(patterns)
    const { absolute } = this.#given(checkDirectory(options))
    return matchesBelow(absolute, list, (path, at, matcher) => {
      const source = this.#input.snapshot().source(path)
      const selected = source.select(items => selectFrom(items, at, matcher))
      this.#recordAt(
        source.globInput(globDetail(at, list), () => selected),
        path,
      )
      return selected
    })
  }

  /** Records that the analyzed file's content, or its path, was used. */
  recordSubject(what: 'content' | 'place'): void {
    const other = this.#otherRecorder
    if (!other) return
    const input = what === 'content' ? this.#recorder.subject : undefined
    if (input) this.#handOn(other, input)
    else other.spoil()
  }

  /** Records that the result is valid in this checkout only. */
  recordCheckout(): void {
    this.#add(inputOf('checkout', this.#recorder.project?.dir ?? ''))
  }

  #add(input: Input): void {
    this.#recorder.add(input)
    const other = this.#otherRecorder
    if (other) this.#handOn(other, input)
  }

  #spoil(): void {
    this.#recorder.spoil()
    this.#otherRecorder?.spoil()
  }

  /** Observers of nested computations whose functions use this computation's context. They depend on what it reads. */
  get #otherRecorder(): Recorder | undefined {
    const current = currentComputation()?.recorder
    return current === this.#recorder ? undefined : current
  }

  #handOn(other: Recorder, input: Input): void {
    const { asker, lists } = this.#input
    other.adopt({
      inputs: [input],
      expiresAt: Number.POSITIVE_INFINITY,
      isRecordable: true,
      asker,
      place: undefined,
      lists,
    })
  }

  get #files(): Files {
    return this.#input.means.files
  }

  #name(given: GivenPath): Source | undefined {
    if (given.isThroughLink) this.#spoil()
    if (isImpossible(given.absolute)) return undefined
    const source = this.#input.snapshot().source(given.absolute)
    const input = source.input()
    if (input) this.#record(input, given)
    else this.#spoil()
    return source
  }

  /** Whether the source may have changed since the computation began. */
  #mayHaveChanged({ path, stat }: Source): boolean {
    const sinceMs = this.#recorder.startedMs - CLOCK_STEP_MS
    const isLater = (found: FileStat | undefined) =>
      found !== undefined && Math.max(found.mtimeMs, found.ctimeMs) >= sinceMs
    // The path may have led to another file if a link or a directory on the way has changed.
    return isLater(stat) || this.#wayTo(path, stat !== undefined).some(each => isLater(this.#linkStat(each)))
  }

  /** The path and the directories above it: those within the project, and up to the first that exists. */
  #wayTo(path: string, exists: boolean): string[] {
    const top = this.#recorder.project?.top
    const way = [path]
    let isThere = exists
    for (let above = dirname(path); above !== dirname(above); above = dirname(above)) {
      const isInside = top !== undefined && above !== top && isWithin(above, top)
      if (!isInside && isThere) break
      way.push(above)
      isThere ||= this.#linkStat(above) !== undefined
    }
    return way
  }

  #linkStat(path: string): FileStat | undefined {
    try {
      return this.#files.linkStat(path)
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return undefined
    }
  }

  #given(path: PathLike): GivenPath {
    this.#recorder.assertRunning()
    // node:fs would find nothing under this name.
    if (path === '') return { given: '', absolute: '\0', isRelative: false, isThroughLink: false }
    const given = givenPath(this.#files, path)
    if (given.isRelative) this.#recordPlace(given)
    if (given.isThroughLink) this.#spoil()
    return given
  }

  /** Records the working directory: which file a relative path names depends on it. */
  #recordPlace({ given, absolute }: GivenPath): void {
    const recorder = this.#recorder
    this.#add(recorder.workingDirectory)
    if (!given.startsWith('..') || leadsOut(recorder.recorded(absolute))) return
    // The path leaves the project and comes back through the name of its directory, which differs in other checkouts.
    const ups = normalize(given).match(/^(?:\.\.(?:[\\/]|$))+/)?.[0] ?? ''
    if (leadsOut(recorder.recorded(resolve(ups)))) this.recordCheckout()
  }

  #record(input: Input, { absolute }: GivenPath): void {
    if (!isImpossible(absolute)) this.#recordAt(input, absolute)
  }

  #recordAt(input: Input, absolute: string): void {
    const { path, isRelative } = this.#recorder.recorded(absolute)
    this.#add({ ...input, path, isRelative })
  }
}

export function createContext(
  observer: Observer,
  { recorder, asker, run, untracked, report }: ContextInput,
): ComputeContext {
  return {
    readFile: path => observer.read(path).toString(),
    // A copy for the caller: the bytes may be kept elsewhere.
    readBytes: path => new Uint8Array(observer.read(path)),
    exists: path => observer.exists(path),
    readDirectory: path => observer.readDirectory(path),
    glob: (patterns, options) => observer.glob(patterns, options),
    addDependency: paths => observer.addDependency(paths),
    env: name => observer.env(name),
    expiresIn(ttl) {
      recorder.assertRunning()
      const ttlMs = ifThere(report, undefined, () => parseTtl(ttl))
      if (ttlMs === undefined) recorder.spoil()
      else recorder.expireAt(asker.now() + ttlMs)
    },
    run,
    untracked,
  }
}

/** The analyzed file. */
export interface Subject {
  /** Absolute. */
  path: string
  relativePath: string
  bytes: Buffer
  /** The text that the host passed. */
  text: string | undefined
  isAnywhere: boolean
  /** False if the content differs from the one in the question. */
  isAsAsked: boolean
}

export function createAnalyzeContext(
  observer: Observer,
  input: ContextInput,
  { path, relativePath, bytes, text, isAnywhere }: Subject,
): AnalyzeContext {
  let source = text
  const recordLocation = () => {
    if (isAnywhere) input.recorder.add(inputOf('location', relativePath))
    observer.recordSubject('place')
  }
  // Spreading one object into the other would take 8 µs instead of 2.
  const { readFile, readBytes, exists, readDirectory, glob, addDependency, env, expiresIn, run, untracked } =
    createContext(observer, input)
  return {
    readFile,
    readBytes,
    exists,
    readDirectory,
    glob,
    addDependency,
    env,
    expiresIn,
    run,
    untracked,
    get bytes() {
      observer.recordSubject('content')
      return bytes
    },
    get path() {
      recordLocation()
      observer.recordCheckout()
      return path
    },
    get relativePath() {
      recordLocation()
      return relativePath
    },
    get source() {
      observer.recordSubject('content')
      source ??= bytes.toString()
      return source
    },
  }
}
