// The same disk as it would be: what is changed is kept beside it, and nothing on it is. So a dry run does the work itself
// to find out what that comes to, and has no second description of the work that could differ from the first.
//
// What is appended goes to one scratch file; names and places are in memory. Links, owners and permissions are those of the
// disk below. A file that others change meanwhile shows that change until it is first changed here.

import { basename, dirname, join } from 'node:path'
import { Descriptors, type PooledFile } from './descriptors.js'
import type { FileStat, Files, OpenMode } from './files.js'

/** A file that was opened or changed here. */
interface OverlaidFile {
  /** The file on the disk below that it begins with; as much of it as there is until `length` is fixed. */
  below: { path: string; file: PooledFile; length?: number } | undefined
  /** What was appended, in the scratch file. */
  extents: { start: number; length: number }[]
  inode: number
  links: number
  mtimeMs: number
}

const BLOCK_BYTES = 4096
/** No descriptor of the disk below is as high. */
const FIRST_FD = 2 ** 31

/** `scratch` is a path where nothing is. */
export function createOverlay(disk: Files, scratch: string): Overlay {
  return new Overlay(disk, scratch)
}

class Overlay {
  readonly files: Files
  readonly #disk: Files
  readonly #descriptors: Descriptors
  readonly #scratch: PooledFile
  #scratchBytes = 0
  readonly #byPath = new Map<string, OverlaidFile>()
  readonly #open = new Map<number, { file: OverlaidFile; mode: OpenMode }>()
  #lastFd = FIRST_FD
  /** No inode of the disk below is as low. */
  #lastInode = 0
  /** Paths of the disk below that are no longer there, or no longer what they were. */
  readonly #gone = new Set<string>()
  readonly #madeDirectories = new Set<string>()
  /** Names that came here, by directory. */
  readonly #added = new Map<string, Set<string>>()

  constructor(disk: Files, scratch: string) {
    this.#disk = disk
    this.#descriptors = new Descriptors(disk)
    this.#scratch = this.#descriptors.file(scratch, 'create')
    this.files = {
      now: disk.now,
      open: (path, mode) => this.#openFile(path, mode),
      close: fd => {
        this.#opened(fd, 'close')
        this.#open.delete(fd)
      },
      read: (fd, into, at, length, position) =>
        this.#read(this.#opened(fd, 'read').file, into.subarray(at, at + length), position),
      append: (fd, bytes, length) => {
        const { file, mode } = this.#opened(fd, 'write')
        if (mode === 'read') throw failure('EBADF', 'write', String(fd))
        return this.#append(file, bytes, length)
      },
      fstat: fd => this.#statOf(this.#opened(fd, 'fstat').file),
      stat: path => this.#stat(path, 'stat'),
      linkStat: path => this.#stat(path, 'linkStat'),
      list: path => this.#list(path),
      // Sources lie elsewhere.
      listKinds: path => this.#disk.listKinds(path),
      realPath: path => this.#disk.realPath(path),
      readAnyway: path => this.#disk.readAnyway(path),
      existsAnyway: path => this.#disk.existsAnyway(path),
      listAnyway: path => this.#disk.listAnyway(path),
      readFile: path => this.#readFile(path),
      createFile: (path, content) => this.#create(path, Buffer.from(content)),
      makeDirectory: path => this.#makeDirectory(path),
      rename: (from, to) => this.#rename(from, to),
      remove: path => this.#remove(path),
    }
  }

  /** Gives the scratch file back. */
  close(): void {
    this.#descriptors.closeAll()
    this.#disk.remove(this.#scratch.path)
  }

  #openFile(path: string, mode: OpenMode): number {
    if (mode !== 'read' && this.#isDirectory(path)) throw failure('EISDIR', 'open', path)
    if (mode === 'create') this.#create(path, Buffer.alloc(0))
    this.#expectParent('open', path)
    const file = this.#find(path)
    if (!file) throw failure('ENOENT', 'open', path)
    this.#open.set(++this.#lastFd, { file, mode })
    return this.#lastFd
  }

  #opened(fd: number, call: string): { file: OverlaidFile; mode: OpenMode } {
    const open = this.#open.get(fd)
    if (!open) throw failure('EBADF', call, String(fd))
    return open
  }

  /** The file at this path, as it is here. */
  #find(path: string): OverlaidFile | undefined {
    const known = this.#byPath.get(path)
    if (known || this.#gone.has(path) || this.#madeDirectories.has(path)) return known
    const stat = this.#disk.stat(path)
    if (stat?.kind !== 'file') return undefined
    const below = { path, file: this.#descriptors.file(path, 'read') }
    const file = { below, extents: [], inode: stat.inode, links: 1, mtimeMs: stat.mtimeMs }
    this.#byPath.set(path, file)
    return file
  }

  #read({ below, extents }: OverlaidFile, into: Uint8Array, position: number): number {
    let done = 0
    let start = 0
    const take = (file: PooledFile, at: number, length: number) => {
      const from = position + done - start
      start += length
      if (from < 0 || from >= length || done === into.length) return
      done += file.read(into, done, Math.min(length - from, into.length - done), at + from)
    }
    if (below) take(below.file, 0, below.length ?? this.#lengthBelow(below.path))
    for (const { start, length } of extents) take(this.#scratch, start, length)
    return done
  }

  #append(file: OverlaidFile, bytes: Uint8Array, length: number): number {
    if (file.below) file.below.length ??= this.#lengthBelow(file.below.path)
    const written = length === 0 ? 0 : this.#scratch.append(bytes, length)
    const last = file.extents.at(-1)
    if (last && last.start + last.length === this.#scratchBytes) last.length += written
    else file.extents.push({ start: this.#scratchBytes, length: written })
    this.#scratchBytes += written
    file.mtimeMs = this.#disk.now()
    return written
  }

  #lengthBelow(path: string): number {
    return this.#disk.stat(path)?.sizeBytes ?? 0
  }

  #statOf({ below, extents, inode, links, mtimeMs }: OverlaidFile): FileStat {
    const stat = below && this.#disk.stat(below.path)
    if (stat && below?.length === undefined) return { ...stat, links }
    const sizeBytes = extents.reduce((sum, { length }) => sum + length, below?.length ?? 0)
    const diskBytes = Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
    const { owner, group, mode } = stat ?? { owner: 0, group: 0, mode: 0 }
    return { kind: 'file', sizeBytes, diskBytes, mtimeMs, ctimeMs: mtimeMs, inode, links, owner, group, mode }
  }

  #stat(path: string, call: 'stat' | 'linkStat'): FileStat | undefined {
    const file = this.#byPath.get(path)
    const isAsBelow = file?.below?.path === path && file.below.length === undefined && !this.#gone.has(path)
    if (file && !isAsBelow) return this.#statOf(file)
    if (this.#madeDirectories.has(path)) {
      const stat = this.#statOf({ below: undefined, extents: [], inode: 0, links: 2, mtimeMs: 0 })
      return { ...stat, kind: 'directory', diskBytes: BLOCK_BYTES }
    }
    return this.#gone.has(path) ? undefined : this.#disk[call](path)
  }

  #isDirectory(path: string): boolean {
    return this.#stat(path, 'stat')?.kind === 'directory'
  }

  #list(path: string): string[] | undefined {
    if (!this.#isDirectory(path)) return undefined
    const below = this.#madeDirectories.has(path) ? [] : (this.#disk.list(path) ?? [])
    const names = new Set(below.filter(name => !this.#gone.has(join(path, name))))
    for (const name of this.#added.get(path) ?? []) names.add(name)
    return [...names]
  }

  #readFile(path: string): Buffer | undefined {
    if (this.#isDirectory(path)) throw failure('EISDIR', 'read', path)
    const file = this.#find(path)
    if (!file) return undefined
    const bytes = Buffer.allocUnsafe(this.#statOf(file).sizeBytes)
    return bytes.subarray(0, this.#read(file, bytes, 0))
  }

  #create(path: string, content: Buffer): boolean {
    this.#expectParent('open', path)
    if (this.#stat(path, 'linkStat')) return false
    const file = { below: undefined, extents: [], inode: --this.#lastInode, links: 1, mtimeMs: 0 }
    this.#place(path, file)
    this.#append(file, content, content.length)
    return true
  }

  #makeDirectory(path: string): void {
    const stat = this.#stat(path, 'stat')
    if (stat?.kind === 'directory') return
    if (stat) throw failure('EEXIST', 'mkdir', path)
    this.#makeDirectory(dirname(path))
    this.#madeDirectories.add(path)
    this.#addName(path)
  }

  #rename(from: string, to: string): void {
    this.#expectParent('rename', from)
    this.#expectParent('rename', to)
    const file = this.#find(from)
    if (!file) throw failure('ENOENT', 'rename', from)
    if (this.#isDirectory(to)) throw failure('EISDIR', 'rename', to)
    if (from === to) return
    this.#remove(to)
    this.#takeAway(from)
    this.#place(to, file)
  }

  #remove(path: string): boolean {
    if (this.#isDirectory(path)) throw failure('EISDIR', 'unlink', path)
    const file = this.#find(path)
    if (!file) return false
    file.links = 0
    this.#takeAway(path)
    return true
  }

  #place(path: string, file: OverlaidFile): void {
    this.#byPath.set(path, file)
    this.#addName(path)
  }

  #addName(path: string): void {
    const names = this.#added.get(dirname(path)) ?? new Set()
    this.#added.set(dirname(path), names.add(basename(path)))
  }

  #takeAway(path: string): void {
    this.#byPath.delete(path)
    this.#gone.add(path)
    this.#added.get(dirname(path))?.delete(basename(path))
  }

  #expectParent(call: string, path: string): void {
    const stat = this.#stat(dirname(path), 'stat')
    if (stat?.kind !== 'directory') throw failure(stat ? 'ENOTDIR' : 'ENOENT', call, path)
  }
}

function failure(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call })
}
