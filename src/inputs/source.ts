// The current state of a path, checked once: its metadata first, and its content only if needed.

import { errnoOf } from '../base/errors.js'
import type { DirectoryItem, FileStat, Files } from '../files/files.js'
import { sourceClock } from '../fingerprint/clock.js'
import { isRacy, isSameStat } from '../fingerprint/fingerprint.js'
import type { Hashing } from '../hashing/hashing.js'
import { type Input, inputOf, isRecordableText } from './input.js'

/** Remembers digests by path, proved by metadata. */
export interface FileHashes {
  recall(name: string): Input | undefined
  remember(name: string, input: Input): void
}

export interface SourceMeans {
  files: Files
  hashing: Hashing
  fileHashes: FileHashes | undefined
}

/** Longer files are read but not recorded: hashing one would take longer than the computation. */
const MAX_FILE_BYTES = 2 ** 31 - 1
/** Longer paths lead nowhere on any system, or can't be recorded. */
const MAX_PATH_LENGTH = 32_767

/** The state of names that no file can have. */
export function isImpossible(path: string): boolean {
  return path.includes('\0') || path.length > MAX_PATH_LENGTH || !isRecordableText(path)
}

export class Source {
  readonly path: string
  readonly #means: SourceMeans
  readonly #nowMs: number
  readonly stat: FileStat | undefined
  /** The code of the error of the stat. */
  readonly error: string | undefined
  #input: Input | undefined
  #content: Buffer | undefined
  #items: DirectoryItem[] | undefined
  /** The code of the error of listing the directory for a glob. */
  #listingError: string | undefined

  constructor(means: SourceMeans, path: string) {
    this.path = path
    this.#means = means
    // Taken before anything is read, so that any later change is younger.
    this.#nowMs = means.files.now()
    if (isImpossible(path)) return
    try {
      this.stat = means.files.stat(path)
    } catch (error) {
      const code = errnoOf(error)
      if (code === undefined) throw error
      // No file can have a name that is too long for the file system.
      if (code !== 'ENAMETOOLONG') this.error = code
    }
  }

  /** Whether the path can't be recorded by content: a device, a pipe, or a file of more than 2 GiB. */
  get isUnrecordable(): boolean {
    return this.stat?.kind === 'other' || (this.stat?.kind === 'file' && this.stat.sizeBytes > MAX_FILE_BYTES)
  }

  get exists(): boolean {
    return this.stat !== undefined
  }

  /** The bytes of the file, if they had to be read for its digest. */
  get content(): Buffer | undefined {
    return this.#content
  }

  /** The items of the directory, if it had to be listed. */
  get items(): DirectoryItem[] | undefined {
    return this.#items
  }

  /** Whether the metadata equals the input's, and no later change could have left the same metadata. */
  isProvedBy(input: Input, trustsRacy = false): boolean {
    const { stat } = this
    if (!stat || stat.kind !== input.kind || (input.isRacy && !trustsRacy)) return false
    return isSameStat(stat, input)
  }

  /** Whether the metadata alone prove that the content has changed. */
  isOtherSize(input: Input): boolean {
    return input.kind === 'file' && this.stat?.sizeBytes !== input.sizeBytes
  }

  /**
   * Returns the input for the content, without a path. `isRead`: the content is read, whatever hash is remembered. Returns
   * undefined if it can't be recorded.
   */
  input(isRead = false): Input | undefined {
    const hasRead = this.#content !== undefined || this.#items !== undefined
    if (this.#input && (!isRead || hasRead || !(this.#input.kind === 'file' || this.#input.kind === 'directory'))) {
      return this.#input
    }
    if (this.isUnrecordable) return undefined
    this.#input = this.#look(isRead)
    return this.#input
  }

  #look(isRead: boolean): Input {
    const { stat, path } = this
    const { fileHashes, files } = this.#means
    if (this.error !== undefined) return inputOf('error', '', false, undefined, this.error)
    if (!stat) return inputOf('absent', '')
    const known = isRead ? undefined : fileHashes?.recall(path)
    if (known && this.isProvedBy(known)) return known
    try {
      if (stat.kind === 'directory') return this.#remember(path, this.#directory(files.listKinds(path)))
      const content = files.readFile(path)
      if (!content) return inputOf('absent', '')
      this.#content = content
      const input = this.#withStat(inputOf('file', '', false, this.#means.hashing.contentDigest(content)))
      // As in procfs, where the metadata don't change with the content.
      if (content.length !== stat.sizeBytes) input.isRacy = true
      return this.#remember(path, input)
    } catch (error) {
      const code = errnoOf(error)
      if (code === undefined) throw error
      return inputOf('error', '', false, undefined, code)
    }
  }

  #directory(items: DirectoryItem[] | undefined): Input {
    if (!items) return inputOf('absent', '')
    this.#items = items
    const text = items.map(({ name, kind }) => `${name}\0${kind}`).sort()
    return this.#withStat(
      inputOf('directory', '', false, this.#means.hashing.contentDigest(Buffer.from(text.join('\0\0')))),
    )
  }

  /** The names in the directory that a glob selects; see `glob.ts`. */
  globInput(detail: string, select: (items: readonly DirectoryItem[]) => string[]): Input {
    const { fileHashes, hashing } = this.#means
    const name = `${this.path}\0${detail}`
    const known = fileHashes?.recall(name)
    if (known && this.stat && isSameStat(this.stat, known)) return known
    const selected = this.select(select)
    const failure = this.#listingError === undefined ? [] : ['', this.#listingError]
    const text = [...selected, ...failure].join('\0')
    const digest = text === '' ? undefined : hashing.contentDigest(Buffer.from(text))
    const input = this.#withStat(inputOf('glob', '', false, digest, detail))
    // The metadata doesn't say whether listing fails.
    if (failure.length > 0) input.isRacy = true
    return this.#remember(name, input)
  }

  /** Selects items of the directory. Returns none if there is no directory, or it can't be read. */
  select(select: (items: readonly DirectoryItem[]) => string[]): string[] {
    if (this.stat?.kind !== 'directory') return []
    try {
      this.#items ??= this.#means.files.listKinds(this.path)
    } catch (error) {
      const code = errnoOf(error)
      if (code === undefined) throw error
      this.#listingError = code
    }
    return select(this.#items ?? [])
  }

  #withStat(input: Input): Input {
    const { stat } = this
    if (!stat) return input
    input.isRacy = isRacy(stat, sourceClock(this.#means.files, this.path, stat, this.#nowMs))
    input.sizeBytes = stat.sizeBytes
    input.mtimeMs = stat.mtimeMs
    input.ctimeMs = stat.ctimeMs
    input.inode = stat.inode
    return input
  }

  #remember(name: string, input: Input): Input {
    if (!input.isRacy && input.inode !== 0) this.#means.fileHashes?.remember(name, input)
    return input
  }
}
