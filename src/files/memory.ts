// The disk of caches with `dir: ':memory:'`, part of the product: the directory of the cache is in memory, and all other paths
// are on the real disk, where sources are. `test/support/memory-disk.ts` is another disk, for tests only: it copies real
// stores, can be cloned for each attempt, and has a capacity and a clock that tests set.

import { dirname, join, sep } from 'node:path'
import type { FileStat, Files } from './files.js'

interface File {
  /** The content, of which `length` bytes are in use. Grows in steps. */
  bytes: Buffer
  length: number
  inode: number
  links: number
  mtimeMs: number
}

interface OpenFile {
  file: File
  mayWrite: boolean
}

/** Numbers of descriptors start above those of the system. */
const FIRST_FD = 2 ** 30
const BLOCK_BYTES = 4096

/** `directory` exists from the start, and is empty. */
export function memoryFiles(disk: Files, root: string): Files {
  const files = new Map<string, File>()
  /** The names in each directory. */
  const directories = new Map<string, Set<string>>([[root, new Set()]])
  const opened = new Map<number, OpenFile>()
  let lastFd = FIRST_FD
  let lastInode = 1

  const isInside = (path: string) => path === root || path.startsWith(root + sep)
  const nameOf = (path: string) => path.slice(dirname(path).length + 1)
  const openFile = (call: string, fd: number): OpenFile => {
    const open = opened.get(fd)
    if (!open) throw failure('EBADF', call, String(fd))
    return open
  }
  const namesBeside = (call: string, path: string): Set<string> => {
    const names = directories.get(dirname(path))
    if (names) return names
    throw failure(files.has(dirname(path)) ? 'ENOTDIR' : 'ENOENT', call, path)
  }
  const create = (path: string, bytes: Buffer): File => {
    namesBeside('open', path).add(nameOf(path))
    const file = { bytes, length: bytes.length, inode: ++lastInode, links: 1, mtimeMs: disk.now() }
    files.set(path, file)
    return file
  }
  const remove = (path: string): boolean => {
    if (directories.has(path)) throw failure('EISDIR', 'unlink', path)
    const file = files.get(path)
    if (!file) return false
    file.links--
    directories.get(dirname(path))?.delete(nameOf(path))
    return files.delete(path)
  }
  const statOf = (path: string): FileStat | undefined => {
    const file = files.get(path)
    return file ? fileStat(file) : directories.has(path) ? DIRECTORY : undefined
  }
  const listOf = (path: string) => {
    const names = directories.get(path)
    return names && [...names].sort()
  }
  const contentOf = (path: string): Buffer | undefined => {
    if (directories.has(path)) throw failure('EISDIR', 'read', path)
    const file = files.get(path)
    return file && Buffer.from(file.bytes.subarray(0, file.length))
  }

  const inside: Files = {
    ...disk,
    open(path, mode) {
      if (directories.has(path) && mode !== 'read') throw failure('EISDIR', 'open', path)
      let file = files.get(path)
      if (!file) {
        namesBeside('open', path)
        if (mode !== 'create') throw failure('ENOENT', 'open', path)
        file = create(path, Buffer.alloc(0))
      }
      opened.set(++lastFd, { file, mayWrite: mode !== 'read' })
      return lastFd
    },
    close(fd) {
      if (!opened.delete(fd)) throw failure('EBADF', 'close', String(fd))
    },
    read(fd, into, at, length, position) {
      const { file } = openFile('read', fd)
      const count = Math.max(0, Math.min(length, file.length - position))
      if (count > 0) into.set(file.bytes.subarray(position, position + count), at)
      return count
    },
    append(fd, bytes, length) {
      const { file, mayWrite } = openFile('write', fd)
      if (!mayWrite) throw failure('EBADF', 'write', String(fd))
      const end = file.length + length
      if (end > file.bytes.length) {
        const grown = Buffer.alloc(Math.max(end, 2 * file.bytes.length, 256))
        file.bytes.copy(grown, 0, 0, file.length)
        file.bytes = grown
      }
      file.bytes.set(bytes.subarray(0, length), file.length)
      file.length = end
      file.mtimeMs = disk.now()
      return length
    },
    fstat: fd => fileStat(openFile('fstat', fd).file),
    stat: statOf,
    linkStat: statOf,
    list: listOf,
    listKinds: path =>
      listOf(path)?.map(name => {
        return { name, kind: directories.has(join(path, name)) ? ('directory' as const) : ('file' as const) }
      }),
    realPath: path => (statOf(path) ? path : undefined),
    readFile: contentOf,
    readAnyway(path) {
      const bytes = contentOf(path)
      if (bytes) return bytes
      namesBeside('open', path)
      throw failure('ENOENT', 'open', path)
    },
    existsAnyway: path => statOf(path) !== undefined,
    listAnyway(path) {
      const names = listOf(path)
      if (names) return names
      namesBeside('scandir', path)
      throw failure(files.has(path) ? 'ENOTDIR' : 'ENOENT', 'scandir', path)
    },
    createFile(path, content) {
      if (statOf(path)) return false
      create(path, Buffer.from(content))
      return true
    },
    makeDirectory(path) {
      if (directories.has(path)) return undefined
      if (files.has(path)) throw failure('EEXIST', 'mkdir', path)
      const parent = dirname(path)
      if (files.has(parent)) throw failure('ENOTDIR', 'mkdir', path)
      const first = isInside(parent) ? this.makeDirectory(parent) : undefined
      directories.set(path, new Set())
      directories.get(parent)?.add(nameOf(path))
      return first ?? path
    },
    rename(from, to) {
      namesBeside('rename', from)
      const names = namesBeside('rename', to)
      const file = files.get(from)
      if (!file) throw failure('ENOENT', 'rename', from)
      if (directories.has(to)) throw failure('EISDIR', 'rename', to)
      if (from === to) return
      remove(to)
      remove(from)
      file.links++
      files.set(to, file)
      names.add(nameOf(to))
    },
    link(from, to) {
      const file = files.get(from)
      const names = directories.get(dirname(to))
      if (!file || !names || statOf(to)) return false
      file.links++
      files.set(to, file)
      names.add(nameOf(to))
      return true
    },
    remove,
    removeDirectory(path) {
      const names = directories.get(path)
      if (!names || names.size > 0 || path === root) return false
      directories.get(dirname(path))?.delete(nameOf(path))
      return directories.delete(path)
    },
    sync: () => undefined,
    touch(path) {
      const file = files.get(path)
      if (!file) throw failure('ENOENT', 'utime', path)
      file.mtimeMs = disk.now()
    },
    setAccess: () => undefined,
    fileSystem: () => ({ kind: 'local', freeBytes: Number.POSITIVE_INFINITY }),
  }
  return choosing(disk, inside, isInside)
}

/** Passes each call to the disk that its path or descriptor belongs to. */
function choosing(disk: Files, inside: Files, isInside: (path: string) => boolean): Files {
  const calls = Object.entries(disk).map(([name, call]) => {
    const own = inside[name as keyof Files] as (...args: unknown[]) => unknown
    const isOwn = (first: unknown) => (typeof first === 'number' ? first > FIRST_FD : isInside(first as string))
    if (name === 'now') return [name, call]
    return [name, (...args: unknown[]) => (isOwn(args[0]) ? own.apply(inside, args) : call(...args))]
  })
  return Object.fromEntries(calls)
}

const DIRECTORY: FileStat = {
  kind: 'directory',
  sizeBytes: BLOCK_BYTES,
  diskBytes: BLOCK_BYTES,
  mtimeMs: 0,
  ctimeMs: 0,
  inode: 1,
  device: 1,
  links: 2,
  owner: 0,
  group: 0,
  mode: 0o700,
}

function fileStat({ length, inode, links, mtimeMs }: File): FileStat {
  return {
    ...DIRECTORY,
    kind: 'file',
    sizeBytes: length,
    diskBytes: Math.ceil(length / BLOCK_BYTES) * BLOCK_BYTES,
    mtimeMs,
    ctimeMs: mtimeMs,
    inode,
    links,
    mode: 0o600,
  }
}

function failure(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call })
}
