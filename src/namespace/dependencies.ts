// What a computation depends on, recorded as it goes. A source counts as it was when it was first looked at; one that is
// found to be different when it is looked at again leaves a result that fits neither state, which must not be stored.

import { resolve } from 'node:path'
import { CacheError, errnoOf } from '../base/errors.js'
import type { AnalyzeContext, ComputeContext } from '../base/types.js'
import { ABSENT, type Fingerprint, isSameContent, type Reading, readSource } from '../fingerprint/fingerprint.js'
import type { Source } from '../manifest/entry.js'
import { sourceOf } from '../manifest/verdict.js'
import type { Entries } from './entries.js'
import { expectPath } from './options.js'

export class Dependencies implements ComputeContext {
  readonly #entries: Entries
  readonly #sources = new Map<string, Source>()
  #isConsistent = true
  #hasEnded = false

  constructor(entries: Entries) {
    this.#entries = entries
  }

  /** False: a source changed while the computation looked at it, or could not be read. */
  get isConsistent(): boolean {
    return this.#isConsistent
  }

  get sources(): readonly Source[] {
    return [...this.#sources.values()]
  }

  /** What is named from now on would be missing from the entry: it throws instead. */
  end(): void {
    this.#hasEnded = true
  }

  readFile(path: string): string {
    return this.#read(path).toString()
  }

  readBytes(path: string): Uint8Array {
    return this.#read(path)
  }

  addDependency(path: string): void {
    this.#try(path)
  }

  addDirectory(path: string): void {
    if (this.#try(path)?.fingerprint.kind !== 'file') return
    throw new CacheError('ERR_CACHE_OPTION', `${path} is not a directory.`, { value: path })
  }

  addMissing(path: string): void {
    // Where it exists by now, the entry must not be valid: it was computed for a missing file.
    this.#record(this.#resolve(path), ABSENT)
  }

  #read(path: string): Buffer {
    return expectFile(this.#add(path), path)
  }

  /** What nobody asked to read need not be readable. */
  #try(path: string): Reading | undefined {
    try {
      return this.#add(path)
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      this.#entries.store.report(error)
      return undefined
    }
  }

  #add(path: string): Reading {
    const absolute = this.#resolve(path)
    try {
      const reading = readSource(this.#entries.store.environment, absolute)
      this.#record(absolute, reading.fingerprint)
      return reading
    } catch (error) {
      // The computation may go on without it; its result depends on it all the same, and cannot be kept.
      this.#isConsistent = false
      throw error
    }
  }

  #record(path: string, fingerprint: Fingerprint): void {
    const known = this.#sources.get(path)
    if (!known) this.#sources.set(path, sourceOf(path, this.#entries.base, fingerprint))
    else if (!isSameContent(known, fingerprint)) this.#isConsistent = false
  }

  #resolve(path: string): string {
    if (this.#hasEnded) throw new CacheError('ERR_CACHE_CLOSED', 'The computation has ended.', { value: path })
    expectPath(path)
    return resolve(path)
  }
}

/** The same for the analysis of one file, whose content is known already. */
export class Analysis extends Dependencies implements AnalyzeContext {
  readonly path: string
  readonly bytes: Buffer
  #source: string | undefined

  constructor(entries: Entries, path: string, bytes: Buffer) {
    super(entries)
    this.path = path
    this.bytes = bytes
  }

  get source(): string {
    this.#source ??= this.bytes.toString()
    return this.#source
  }
}

/** The content of a file. @throws errno-style errors, as reading it does, for what is none */
export function expectFile({ fingerprint, content }: Reading, path: string): Buffer {
  if (content && fingerprint.kind === 'file') return content
  const isAbsent = fingerprint.kind === 'absent'
  const [code, why] = isAbsent
    ? ['ENOENT', 'no such file or directory']
    : ['EISDIR', 'illegal operation on a directory']
  throw Object.assign(new Error(`${code}: ${why}, read '${path}'`), { code, path, syscall: 'read' })
}
