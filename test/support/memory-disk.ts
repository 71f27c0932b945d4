// A disk in memory for tests that need a fresh store thousands of times: copied from real files, cloned for each attempt, with
// a capacity and a clock that tests set. A test compares it with the real disk, call by call. `src/files/memory.ts` is the one
// that the product uses for `dir: ':memory:'`: it can't be cloned, has no limit, and leaves all paths outside of the cache on
// the real disk.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import type { FileStat, Files } from '../../src/files/files.js'

interface MemoryFile {
  bytes: Buffer
  inode: number
  links: number
  mtimeMs: number
}

interface OpenFile {
  file: MemoryFile
  mayWrite: boolean
}

let lastInode = 1000
let lastFd = 1_000_000

export class MemoryDisk {
  readonly #files = new Map<string, MemoryFile>()
  readonly #directories = new Set<string>()
  readonly #open = new Map<number, OpenFile>()
  #passedMs = 0
  /** What all files may take, in whole blocks. */
  capacityBytes = Number.POSITIVE_INFINITY

  /** A copy of a real directory, under the same path. */
  static of(directory: string): MemoryDisk {
    const disk = new MemoryDisk()
    disk.files.makeDirectory(directory)
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      if (entry.isDirectory()) disk.files.makeDirectory(path)
      else disk.write(path, readFileSync(path), statSync(path).mtimeMs)
    }
    return disk
  }

  /** Lets its clock go on. */
  passMs(ms: number): void {
    this.#passedMs += ms
  }

  get freeBytes(): number {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return this.capacityBytes
    let bytes = 0
    for (const file of new Set(this.#files.values())) bytes += fileStat(file).diskBytes
    return Math.max(0, this.capacityBytes - bytes)
  }

  #now(): number {
    return Date.now() + this.#passedMs
  }

  clone(): MemoryDisk {
    const disk = new MemoryDisk()
    disk.#passedMs = this.#passedMs
    for (const directory of this.#directories) disk.#directories.add(directory)
    // Appends make a new buffer, so that the bytes can be shared.
    for (const [path, file] of this.#files) disk.#files.set(path, { ...file })
    return disk
  }

  write(path: string, bytes: Buffer, mtimeMs = this.#now()): void {
    this.#files.set(path, { bytes, inode: ++lastInode, links: 1, mtimeMs })
  }

  /** The same file with other bytes, as a program that opens and rewrites it leaves it. */
  overwrite(path: string, bytes: Buffer, mtimeMs: number): void {
    const file = this.#files.get(path)
    if (file) Object.assign(file, { bytes, mtimeMs })
    else this.write(path, bytes, mtimeMs)
  }

  paths(): string[] {
    return [...this.#files.keys()].sort()
  }

  readonly files: Files = {
    now: () => this.#now(),
    open: (path, mode) => {
      if (this.#directories.has(path) && mode !== 'read') throw failure('EISDIR', 'open', path)
      let file = this.#files.get(path)
      if (!file) {
        this.#expectParent('open', path)
        if (mode !== 'create') throw failure('ENOENT', 'open', path)
        file = { bytes: Buffer.alloc(0), inode: ++lastInode, links: 1, mtimeMs: this.#now() }
        this.#files.set(path, file)
      }
      this.#open.set(++lastFd, { file, mayWrite: mode !== 'read' })
      return lastFd
    },
    close: fd => {
      if (!this.#open.delete(fd)) throw failure('EBADF', 'close', String(fd))
    },
    read: (fd, into, at, length, position) => {
      const { bytes } = this.#opened(fd, 'read').file
      const count = Math.max(0, Math.min(length, bytes.length - position))
      into.set(bytes.subarray(position, position + count), at)
      return count
    },
    append: (fd, bytes, length) => {
      const { file, mayWrite } = this.#opened(fd, 'write')
      if (!mayWrite) throw failure('EBADF', 'write', String(fd))
      const room = this.freeBytes + fileStat(file).diskBytes - file.bytes.length
      const written = Math.min(length, room)
      if (length > 0 && written <= 0) throw failure('ENOSPC', 'write', String(fd))
      file.bytes = Buffer.concat([file.bytes, bytes.subarray(0, written)])
      file.mtimeMs = this.#now()
      return written
    },
    fstat: fd => fileStat(this.#opened(fd, 'fstat').file),
    stat: path => {
      const file = this.#files.get(path)
      if (file) return fileStat(file)
      return this.#directories.has(path) ? { ...fileStat(EMPTY), kind: 'directory', diskBytes: 4096 } : undefined
    },
    linkStat: path => this.files.stat(path),
    list: path => {
      if (!this.#directories.has(path)) return undefined
      const below = [...this.#files.keys(), ...this.#directories].filter(
        each => dirname(each) === path && each !== path,
      )
      return below.map(each => each.slice(path.length + 1)).sort()
    },
    listKinds: path =>
      this.files.list(path)?.map(name => {
        return { name, kind: this.#directories.has(join(path, name)) ? ('directory' as const) : ('file' as const) }
      }),
    realPath: path => (this.files.stat(path) ? path : undefined),
    readFile: path => {
      if (this.#directories.has(path)) throw failure('EISDIR', 'read', path)
      const bytes = this.#files.get(path)?.bytes
      return bytes && Buffer.from(bytes)
    },
    readAnyway: path => {
      const bytes = this.files.readFile(path)
      if (bytes) return bytes
      this.#expectParent('open', path)
      throw failure('ENOENT', 'open', path)
    },
    existsAnyway: path => this.files.stat(path) !== undefined,
    listAnyway: path => {
      const names = this.files.list(path)
      if (names) return names
      this.#expectParent('scandir', path)
      throw failure(this.#files.has(path) ? 'ENOTDIR' : 'ENOENT', 'scandir', path)
    },
    createFile: (path, content) => {
      if (this.#files.has(path) || this.#directories.has(path)) return false
      this.#expectParent('open', path)
      this.write(path, Buffer.from(content))
      return true
    },
    makeDirectory: path => {
      let first: string | undefined
      for (let each = path; !this.#directories.has(each); each = dirname(each)) {
        if (this.#files.has(each)) throw failure(each === path ? 'EEXIST' : 'ENOTDIR', 'mkdir', path)
        this.#directories.add(each)
        first = each
        if (dirname(each) === each) break
      }
      return first
    },
    rename: (from, to) => {
      this.#expectParent('rename', from)
      this.#expectParent('rename', to)
      const file = this.#files.get(from)
      if (!file) throw failure('ENOENT', 'rename', from)
      if (this.#directories.has(to)) throw failure('EISDIR', 'rename', to)
      if (from === to) return
      this.files.remove(to)
      this.#files.delete(from)
      this.#files.set(to, file)
    },
    link: (from, to) => {
      const file = this.#files.get(from)
      if (!file || this.#files.has(to) || this.#directories.has(to)) return false
      file.links++
      this.#files.set(to, file)
      return true
    },
    remove: path => {
      if (this.#directories.has(path)) throw failure('EISDIR', 'unlink', path)
      const file = this.#files.get(path)
      if (!file) return false
      file.links--
      return this.#files.delete(path)
    },
    removeDirectory: path => {
      if (!this.#directories.has(path) || this.files.list(path)?.length) return false
      return this.#directories.delete(path)
    },
    sync: () => undefined,
    touch: path => {
      const file = this.#files.get(path)
      if (!file) throw failure('ENOENT', 'utime', path)
      file.mtimeMs = this.#now()
    },
    setAccess: () => undefined,
    fileSystem: () => ({ kind: 'local', freeBytes: this.freeBytes }),
  }

  #opened(fd: number, call: string): OpenFile {
    const open = this.#open.get(fd)
    if (!open) throw failure('EBADF', call, String(fd))
    return open
  }

  #expectParent(call: string, path: string): void {
    const parent = dirname(path)
    if (!this.#directories.has(parent)) throw failure(this.#files.has(parent) ? 'ENOTDIR' : 'ENOENT', call, path)
  }
}

const EMPTY: MemoryFile = { bytes: Buffer.alloc(0), inode: 1, links: 1, mtimeMs: 0 }

function fileStat({ bytes, inode, links, mtimeMs }: MemoryFile): FileStat {
  const sizeBytes = bytes.length
  const diskBytes = Math.ceil(sizeBytes / 4096) * 4096
  return {
    kind: 'file',
    sizeBytes,
    diskBytes,
    mtimeMs,
    ctimeMs: mtimeMs,
    inode,
    device: 1,
    links,
    owner: 0,
    group: 0,
    mode: 0o600,
  }
}

function failure(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${call} '${path.split(sep).join('/')}'`), { code, syscall: call })
}
