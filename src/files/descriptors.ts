// A bounded set of open descriptors. A large cache has thousands of files and a host may be near its own limit, so
// files are opened when they are used and the least recently used one is closed when there are too many.
//
// A file is opened again by its path. Code that holds one must handle that there is another file, or none.

import { errnoOf } from '../base/errors.js'
import type { FileStat, Files, OpenMode } from './files.js'

const MAX_OPEN = 512
const ONE_BYTE = new Uint8Array(1)
const NOT_WRITABLE = ['EROFS', 'EACCES', 'EPERM']

export class Descriptors {
  readonly #files: Files
  readonly #assertWritable: (path: string) => void
  readonly #open = new Set<PooledFile>()
  #uses = 0

  /** `assertWritable` is called with a path before the file is made or first written to. */
  constructor(files: Files, assertWritable: (path: string) => void = () => undefined) {
    this.#files = files
    this.#assertWritable = assertWritable
  }

  file(path: string, mode: OpenMode): PooledFile {
    return new PooledFile(this, this.#files, path, mode)
  }

  /**
   * Opens the file unless it is open, and marks it as the most recently used. A file without write permission is opened for
   * reading.
   */
  acquire(file: PooledFile, isWrite = false): number {
    file.lastUse = ++this.#uses
    const fd = this.#openOne(file, isWrite)
    if (isWrite && !file.isChecked) this.#check(file)
    return fd
  }

  #openOne(file: PooledFile, isWrite: boolean): number {
    if (file.fd >= 0 && !(isWrite && file.isReadOnly)) return file.fd
    this.release(file)
    if (this.#open.size >= MAX_OPEN) this.#closeOldest()
    file.isReadOnly = false
    try {
      file.fd = this.#openFile(file.path, file.mode)
    } catch (error) {
      if (isWrite || file.mode !== 'append' || !NOT_WRITABLE.includes(errnoOf(error) ?? '')) throw error
      file.fd = this.#openFile(file.path, 'read')
      file.isReadOnly = true
    }
    // It must not be created again once it was replaced.
    if (file.mode === 'create') file.mode = 'append'
    file.openCount++
    this.#open.add(file)
    return file.fd
  }

  /** The file may have been opened through a link that was there for a moment. */
  #check(file: PooledFile): void {
    const { path, fd } = file
    this.#assertWritable(path)
    if (this.#files.linkStat(path)?.inode !== this.#files.fstat(fd).inode) {
      throw Object.assign(new Error(`ENOENT: another file has taken its place, write '${path}'`), { code: 'ENOENT' })
    }
    file.isChecked = true
  }

  #openFile(path: string, mode: OpenMode): number {
    if (mode === 'create') this.#assertWritable(path)
    try {
      return this.#files.open(path, mode)
    } catch (error) {
      // The host's descriptors may have used up the limit: close ours and try once more.
      if (errnoOf(error) !== 'EMFILE' || this.#open.size === 0) throw error
      this.closeAll()
      return this.#files.open(path, mode)
    }
  }

  release(file: PooledFile): void {
    if (!this.#open.delete(file)) return
    const { fd } = file
    file.fd = -1
    file.isChecked = false
    try {
      this.#files.close(fd)
    } catch (error) {
      // The descriptor is gone even if close fails, and each write has already returned its result.
      if (errnoOf(error) === undefined) throw error
    }
  }

  closeAll(): void {
    for (const file of this.#open) this.release(file)
  }

  /** Closes several at once, so that finding the oldest takes little of each opening. */
  #closeOldest(): void {
    const byUse = [...this.#open].sort((a, b) => a.lastUse - b.lastUse)
    for (const file of byUse.slice(0, MAX_OPEN / 8)) this.release(file)
  }
}

export class PooledFile {
  readonly path: string
  mode: OpenMode
  /** -1 while closed; owned by the pool. */
  fd = -1
  /** Whether the file is open only for reading, because writing isn't permitted. */
  isReadOnly = false
  /** Whether it is known to be in the root. */
  isChecked = false
  lastUse = 0
  /** How often it was opened. */
  openCount = 0
  readonly #pool: Descriptors
  readonly #files: Files

  constructor(pool: Descriptors, files: Files, path: string, mode: OpenMode) {
    this.#pool = pool
    this.#files = files
    this.path = path
    this.mode = mode
  }

  stat(): FileStat {
    return this.#files.fstat(this.#pool.acquire(this))
  }

  /**
   * Reads from the position into `into[at, at + length)`. Returns the number of bytes read, which is smaller only at the end of
   * the file.
   */
  read(into: Uint8Array, at: number, length: number, position: number): number {
    const fd = this.#pool.acquire(this)
    let done = 0
    while (done < length) {
      const count = this.#files.read(fd, into, at + done, length - done, position + done)
      if (count === 0) break
      done += count
    }
    return done
  }

  /** Whether there is more at the position. Takes a third of the time of asking for the size. */
  hasMore(position: number): boolean {
    return this.#files.read(this.#pool.acquire(this), ONE_BYTE, 0, 1, position) > 0
  }

  append(bytes: Uint8Array, length: number): number {
    return this.#files.append(this.#pool.acquire(this, true), bytes, length)
  }

  close(): void {
    this.#pool.release(this)
  }
}
