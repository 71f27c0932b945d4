// Records the inputs of a computation while it runs. An input has the state of its first read. If a later read finds another
// state, the result fits neither and isn't stored.

import { CacheError } from '../base/errors.js'
import { absoluteEntryName } from '../inputs/entry-name.js'
import { type Input, type InputKind, inputOf, isRecordableText, isSameState, lookOf, nameOf } from '../inputs/input.js'
import type { Asker } from '../inputs/snapshot.js'
import { leadsOut, type RecordedPath, recordPath, resolvePath, workingPlace } from '../project/paths.js'
import type { Project } from '../project/project.js'

/** A result that a computation asked for, with the inputs that it is valid for. */
export interface Adopted {
  inputs: readonly Input[]
  expiresAt: number
  /** Whether its inputs could be recorded. */
  isRecordable: boolean
  /** The base of its inputs' paths. */
  asker: Asker
  /** The working directory in which it was asked for; undefined: the current one. */
  place: Input | undefined
  /** The store that names lists of inputs. */
  lists: InputLists
}

/** The origin of a result that a computation asked for. */
interface Origin {
  asker: Asker
  place: Input
  lists: InputLists
}

/** The owner of a handle's keys. */
export interface Asking {
  project: Project | undefined
  /** Whether that is the project of the working directory. */
  isByDirectory: boolean
}

export interface InputLists {
  /** The directory of the cache. */
  readonly root: string
  load(id: string): readonly Input[] | undefined
}

export class Recorder {
  readonly project: Project | undefined
  readonly startedMs: number
  readonly #isByDirectory: boolean
  readonly #lists: InputLists
  readonly #inputs = new Map<string, Input>()
  #isRecordable = true
  #expiresAt = Number.POSITIVE_INFINITY
  #hasEnded = false
  /** The file that this computation analyzes, and its content. */
  #subject: { file: string; input: Input } | undefined

  constructor({ project, isByDirectory, store }: Asking & { store: { lists: InputLists } }, startedMs: number) {
    this.project = project
    this.startedMs = startedMs
    this.#isByDirectory = isByDirectory
    this.#lists = store.lists
  }

  /** What is known about the analyzed file. */
  get subject(): Input | undefined {
    return this.#subject?.input
  }

  get inputs(): readonly Input[] {
    return [...this.#inputs.values()]
  }

  /** False if an input can't be recorded, or was different at two reads. */
  get isRecordable(): boolean {
    return this.#isRecordable
  }

  /** The earliest expiry of the results that it was computed from. */
  get expiresAt(): number {
    return this.#expiresAt
  }

  /** Limits the expiry of the result. */
  expireAt(ms: number): void {
    this.#expiresAt = Math.min(this.#expiresAt, ms)
  }

  /** Ends the recording. Later calls throw, because their inputs would be missing from the entry. */
  end(): void {
    this.#hasEnded = true
  }

  assertRunning(): void {
    if (this.#hasEnded)
      throw new CacheError('ERR_CACHE_CLOSED', 'The computation has ended: its context records nothing.')
  }

  /** Sets the analyzed file. `isInput`: the question doesn't contain the content itself. */
  begin(file: string, input: Input, isInput: boolean): void {
    this.#subject = { file, input }
    if (isInput) this.add(input)
  }

  /** Marks the result as one that can't be stored. */
  spoil(): void {
    this.#isRecordable = false
  }

  add(input: Input): void {
    if (!isRecordableText(input.path) || !isRecordableText(input.detail)) {
      this.#isRecordable = false
      return
    }
    const name = nameOf(input)
    const known = this.#inputs.get(name)
    if (!known) this.#inputs.set(name, input)
    else if (!isSameState(known, input)) this.#isRecordable = false
  }

  /** How a path is recorded. A relative path makes the working directory an input. */
  recorded(path: string): RecordedPath {
    return recordPath(this.project, path)
  }

  /**
   * Records the project in which a handle asks that follows the working directory; `place` is the working directory at that
   * time.
   */
  askThrough({ isByDirectory }: Asking, place = this.workingDirectory): void {
    if (!isByDirectory) return
    // The same question may be asked through a handle for a fixed project, from any directory.
    if (this.#isByDirectory) this.add(inputOf('home', ''))
    else this.add(place)
  }

  /** Whether entries of a cache can be recorded: those of a cache in another directory can't. */
  knows({ root }: InputLists): boolean {
    return root === this.#lists.root
  }

  get workingDirectory(): Input {
    return inputOf('cwd', workingPlace(this.project))
  }

  /** Adds the inputs of another result. */
  adopt({ inputs, expiresAt, isRecordable, asker, place = this.workingDirectory, lists }: Adopted): void {
    // Another cache may have another clock.
    if (!isRecordable || (expiresAt !== Number.POSITIVE_INFINITY && !this.knows(lists))) this.#isRecordable = false
    this.#expiresAt = Math.min(this.#expiresAt, expiresAt)
    const isSameProject = asker.dir === this.project?.dir && lists === this.#lists
    for (const input of inputs) this.#adoptOne(input, { asker, place, lists }, isSameProject)
  }

  #adoptOne(input: Input, from: Origin, isSameProject: boolean): void {
    const look = lookOf(input.kind)
    // This computation itself has said where the analyzed file is.
    if (look === 'location') return
    if (look === 'file' && input.path === '') this.#adoptAnalyzed(input, from.asker)
    else if (isSameProject) this.add(input)
    else this.#adoptForeign(input, look, from)
  }

  #adoptAnalyzed(input: Input, { file, text }: Asker): void {
    if (file === undefined) {
      this.spoil()
      return
    }
    // The same text of the same file is the subject of this computation.
    if (this.#subject?.file === file && isSameState(this.#subject.input, input)) return
    const { path, isRelative } = this.recorded(file)
    const own = { ...input, path, isRelative }
    // If this computation passed on a text, it must have read that text. Otherwise its origin is unknown.
    if (text && !this.#inputs.has(nameOf(own))) this.spoil()
    else this.add(own)
  }

  /** Adds an input of another project or cache: paths are recorded anew, lists are expanded. */
  #adoptForeign(input: Input, look: InputKind, from: Origin): void {
    const { asker, place, lists } = from
    if (look === 'list') {
      const listed = lists.load(input.path)
      if (!listed) this.spoil()
      for (const each of listed ?? []) this.#adoptOne(each, from, false)
    } else if (look === 'file' || look === 'present' || look === 'glob') {
      const path = resolvePath(input, asker.dir)
      if (path === undefined) this.spoil()
      else this.add({ ...input, ...this.recorded(path) })
    } else if (look === 'environment') {
      this.add(input)
    } else if (look === 'entry' && !this.knows(lists)) {
      this.spoil()
    } else {
      // The result was asked for from this checkout and this working directory.
      if (look === 'entry') this.add({ ...input, path: absoluteEntryName(input.path, asker.dir) })
      this.add(inputOf('checkout', this.project?.dir ?? ''))
      this.add(place)
    }
  }

  /** Whether a file or directory inside the project is among the inputs. */
  get hasFileInProject(): boolean {
    return this.#some(this.inputs, input => !leadsOut(input))
  }

  /** Whether an input is named by its absolute path. In another checkout, the computation may read another file. */
  get hasFileElsewhere(): boolean {
    return this.#some(this.inputs, ({ path, isRelative }) => !isRelative && path !== '')
  }

  /** The paths of files and directories, including those in lists. */
  #some(inputs: readonly Input[], is: (input: Input) => boolean, seen = new Set<string>()): boolean {
    return inputs.some(input => {
      const look = lookOf(input.kind)
      if (look === 'list') {
        if (seen.has(input.path)) return false
        seen.add(input.path)
        return this.#some(this.#lists.load(input.path) ?? [], is, seen)
      }
      return (look === 'file' || look === 'present' || look === 'glob') && is(input)
    })
  }
}
