// The current states of sources. Each source is checked once, however many inputs name it. A snapshot serves one call of the
// library, or all calls within `cache.snapshot`, whose caller promises that nothing changes meanwhile.

import type { StaleReason, Strategy } from '../api/index.js'
import { resolvePath } from '../project/paths.js'
import { selectByDetail } from './glob.js'
import { type Input, inputOf, isSameState, lookOf, NO_DIGEST } from './input.js'
import { Source, type SourceMeans } from './source.js'
import { VALID, type Validity } from './validity.js'

/** The directories that references are resolved against. */
export interface Asker {
  /** The project's directory. */
  dir: string | undefined
  /** The working directory, as the project sees it. */
  place: string
  /** The directory of the working directory's project; empty if it is the handle's project. */
  home: string
  /** The analyzed file: its path as the project sees it, and its content if the host passed the text. */
  location: string
  file: string | undefined
  text: Input | undefined
  /** The clock for the creation times of entries. */
  now(): number
}

export interface SnapshotMeans extends SourceMeans {
  /** Returns the inputs or references of a list; undefined if it is gone. */
  list(id: string): readonly Input[] | undefined
  /** Returns the name of the list of these inputs. */
  listId(inputs: readonly Input[]): string
  /** Returns the digest of the value that a get of an entry would return now; undefined for a miss. */
  entryDigest(name: string, asker: Asker, snapshot: Snapshot): Buffer | undefined
}

export function createSnapshot(means: SnapshotMeans): Snapshot {
  return new Snapshot(means)
}

export class Snapshot {
  readonly #means: SnapshotMeans
  /** The only source of most calls, which need no map. */
  #first: Source | undefined
  #sources: Map<string, Source> | undefined
  /** The states of lists, by strategy, project and id. */
  #lists: Map<string, Validity> | undefined

  /** Whether the snapshot has ended. Calls that are still running after `cache.snapshot` check again. */
  isOver = false

  /** Digests of entries' values, by name. */
  #entries: Map<string, Buffer> | undefined

  constructor(means: SnapshotMeans) {
    this.#means = means
  }

  /** Validates inputs: whether all are as they were recorded. @throws errors that aren't the file system's */
  validate(inputs: readonly Input[], asker: Asker, strategy: Strategy): Validity {
    for (const input of inputs) {
      const found = this.#validateOne(input, asker, strategy)
      if (found !== VALID) return found
    }
    return VALID
  }

  /** Returns the current states of inputs or references; undefined if one can't be recorded. */
  restate(references: readonly Input[], asker: Asker): Input[] | undefined {
    const inputs: Input[] = []
    for (const reference of references) {
      const now = this.now(reference, asker)
      if (!now) return undefined
      inputs.push(now)
    }
    return inputs
  }

  /** Returns the current state of one input or reference. */
  now(reference: Input, asker: Asker): Input | undefined {
    const { kind, path, isRelative, detail } = reference
    switch (lookOf(kind)) {
      case 'file': {
        if (path === '' && asker.text) return { ...asker.text, path, isRelative }
        const found = this.#sourceOf(reference, asker)?.input()
        return found && { ...found, path, isRelative }
      }
      case 'present': {
        const source = this.#sourceOf(reference, asker)
        return inputOf(source?.exists ? 'present' : 'missing', path, isRelative)
      }
      case 'glob': {
        const found = this.#sourceOf(reference, asker)?.globInput(detail, selectByDetail(detail))
        return found && { ...found, path, isRelative }
      }
      case 'environment':
        return inputOf(kind, path, false, this.#environmentDigest(path))
      case 'entry':
        return inputOf(kind, path, false, this.#entryDigest(path, asker))
      case 'cwd':
        return inputOf('cwd', asker.place)
      case 'checkout':
        return inputOf('checkout', asker.dir ?? '')
      case 'home':
        return inputOf('home', asker.home)
      case 'location':
        return inputOf('location', asker.location)
      default: {
        const references = this.#means.list(path)
        const inputs = references && this.restate(references, asker)
        return inputs && inputOf('list', this.#means.listId(inputs))
      }
    }
  }

  /** To be called after an entry was set or removed. */
  forgetEntries(): void {
    if (!this.#entries) return
    this.#entries = undefined
    // Lists may refer to entries.
    this.#lists = undefined
  }

  /** Returns the source at an absolute path. */
  source(path: string): Source {
    const known = this.#first?.path === path ? this.#first : this.#sources?.get(path)
    if (known) return known
    const source = new Source(this.#means, path)
    if (!this.#first) this.#first = source
    else {
      this.#sources ??= new Map()
      this.#sources.set(path, source)
    }
    return source
  }

  /** The absolute path; undefined if the input is not a file. */
  pathOf({ kind, path, isRelative }: Input, asker: Asker): string | undefined {
    const look = lookOf(kind)
    if (look !== 'file' && look !== 'present' && look !== 'glob') return undefined
    if (path === '' && look === 'file') return asker.file
    return resolvePath({ path, isRelative }, asker.dir)
  }

  #sourceOf(input: Input, asker: Asker): Source | undefined {
    const path = this.pathOf(input, asker)
    return path === undefined ? undefined : this.source(path)
  }

  #validateOne(input: Input, asker: Asker, strategy: Strategy): Validity {
    const look = lookOf(input.kind)
    if (look === 'list') return this.#validateList(input.path, asker, strategy)
    if (look === 'file' && !(input.path === '' && asker.text)) return this.#validateFile(input, asker, strategy)
    if (look === 'glob' && strategy !== 'content') {
      const source = this.#sourceOf(input, asker)
      if (source?.stat && !input.isRacy && isProvedGlob(source, input)) return VALID
    }
    const now = this.now(input, asker)
    const path = this.pathOf(input, asker)
    if (!now) return { reason: 'unreadable', input, path }
    if (!isSameState(now, input)) return { reason: reasonOf(input, now), input, path }
    return VALID
  }

  #validateFile(input: Input, asker: Asker, strategy: Strategy): Validity {
    const path = this.pathOf(input, asker)
    if (path === undefined) return { reason: 'unreadable', input, path: input.path }
    const source = this.source(path)
    const hasStat = input.inode !== 0
    if (hasStat && strategy !== 'content' && source.isProvedBy(input, strategy === 'metadata')) return VALID
    if (hasStat && strategy === 'metadata') return { reason: reasonOf(input, source.stat), input, path }
    if (hasStat && source.stat && source.isOtherSize(input)) return { reason: 'source-changed', input, path }
    const found = source.input(strategy === 'content')
    if (!found) return { reason: 'source-changed', input, path }
    if (!isSameState(found, input)) return { reason: reasonOf(input, found), input, path }
    return VALID
  }

  #validateList(id: string, asker: Asker, strategy: Strategy): Validity {
    const name = `${strategy} ${id} ${asker.place}\0${asker.dir}`
    this.#lists ??= new Map()
    const known = this.#lists.get(name)
    if (known) return known
    // A list can't contain itself, but forged bytes could.
    this.#lists.set(name, { reason: 'evicted', input: inputOf('list', id) })
    const inputs = this.#means.list(id)
    const found: Validity = inputs
      ? this.validate(inputs, asker, strategy)
      : { reason: 'evicted', input: inputOf('list', id) }
    const validity = found.reason === undefined ? VALID : found
    this.#lists.set(name, validity)
    return validity
  }

  /** An entry that depends on itself counts as absent. */
  #entryDigest(name: string, asker: Asker): Buffer {
    const id = `${name} ${asker.dir}`
    this.#entries ??= new Map()
    const known = this.#entries.get(id)
    if (known) return known
    this.#entries.set(id, NO_DIGEST)
    const digest = this.#means.entryDigest(name, asker, this) ?? NO_DIGEST
    this.#entries.set(id, digest)
    return digest
  }

  #environmentDigest(name: string): Buffer {
    return environmentDigest(this.#means, process.env[name])
  }
}

/** The value itself is never stored, since it may be a secret. */
export function environmentDigest({ hashing }: SourceMeans, value: string | undefined): Buffer {
  return value === undefined ? NO_DIGEST : hashing.contentDigest(Buffer.from(`=${value}`))
}

function isProvedGlob({ stat }: Source, input: Input): boolean {
  return stat !== undefined && isSameMetadata(stat, input)
}

function isSameMetadata(one: Pick<Input, 'sizeBytes' | 'mtimeMs' | 'ctimeMs' | 'inode'>, other: Input): boolean {
  return (
    one.mtimeMs === other.mtimeMs &&
    one.ctimeMs === other.ctimeMs &&
    one.inode === other.inode &&
    one.sizeBytes === other.sizeBytes
  )
}

/** Why an input is stale. `now` is undefined if nothing is there. */
function reasonOf({ kind }: Input, now: { kind: string } | undefined): StaleReason {
  if (kind === 'environment') return 'environment-changed'
  if (kind === 'entry') return 'entry-changed'
  if (kind === 'cwd' || kind === 'checkout' || kind === 'location' || kind === 'home') return 'moved'
  // It may be unchanged, but that can't be proved.
  if (now?.kind === 'error') return 'unreadable'
  const isGone = now === undefined || now.kind === 'absent' || now.kind === 'missing'
  if (kind === 'absent' || kind === 'missing') return isGone ? 'source-changed' : 'source-appeared'
  return isGone ? 'source-missing' : 'source-changed'
}
