// Everything that touches a cache's disk goes through a Files object, so that a test can put a failing, short-writing or dying
// one in its place. All calls are synchronous and throw errno-style errors; the few that expect a missing file return
// undefined for it instead, because building an exception costs more than the call.

import type { Dirent, Stats } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from '../base/errors.js'
import { DIR_MODE, FILE_MODE } from '../base/layout.js'

// Imported as an ES module it takes 1.5 ms more, for exports that nobody here needs.
const {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} = process.getBuiltinModule('node:fs')

export type OpenMode = 'read' | 'append' | 'create'

export interface FileStat {
  kind: 'file' | 'directory' | 'other'
  sizeBytes: number
  /** What it takes on disk, whole blocks. */
  diskBytes: number
  /** With the sub-millisecond part that the file system gives. */
  mtimeMs: number
  ctimeMs: number
  inode: number
  /** Of the file system that it is on. */
  device: number
  /** Hard links: 0 for an open file that was deleted. */
  links: number
  owner: number
  group: number
  /** Permission bits, with those for sticky directories and inherited groups. */
  mode: number
}

export interface DirectoryItem {
  /** Of a name that isn't UTF-8, each byte a character, after a NUL, so that two such names are never alike. */
  name: string
  kind: 'file' | 'directory' | 'link' | 'other'
}

/** Who may do what with a file or a directory. */
export type Access = Pick<FileStat, 'owner' | 'group' | 'mode'>

/**
 * `local`: its times are this machine's. `generated`: what is read is made up at that moment, as in procfs, and its stat says
 * nothing about it. `unknown`: anything else, such as a network share with a clock of its own.
 */
export type FileSystemKind = 'local' | 'generated' | 'unknown'

export interface FileSystem {
  kind: FileSystemKind
  /** What this user may still write; `Infinity` where that cannot be asked. */
  freeBytes: number
}

export interface Files {
  /** The clock that file times are compared with. */
  now(): number
  /** `append` and `create` give an O_APPEND descriptor that can also read; only `create` makes the file. */
  open(path: string, mode: OpenMode): number
  close(fd: number): void
  /** Bytes read, 0 at the end of the file. */
  read(fd: number, into: Uint8Array, at: number, length: number, position: number): number
  /** Bytes written; fewer than asked for when the disk runs full. */
  append(fd: number, bytes: Uint8Array, length: number): number
  fstat(fd: number): FileStat
  stat(path: string): FileStat | undefined
  /** The same of a symbolic link itself, which is of the kind `other`. */
  linkStat(path: string): FileStat | undefined
  /** Names in a directory, undefined when there is none. */
  list(path: string): string[] | undefined
  /** What is in a directory, without following links; undefined when there is none. */
  listKinds(path: string): DirectoryItem[] | undefined
  /** The path without symbolic links, in the case that the file system keeps; undefined when there is nothing. */
  realPath(path: string): string | undefined
  readFile(path: string): Buffer | undefined
  /** What reading a path as a caller gave it gives, a pipe or a device included. @throws as `fs.readFileSync` does */
  readAnyway(path: string): Buffer
  /** Whether there is something at a path. @throws as `fs.existsSync` does, under the permission model */
  existsAnyway(path: string): boolean
  /** The names in a directory. @throws as `fs.readdirSync` does */
  listAnyway(path: string): string[]
  /** Creates the file with this content; false when something is there already. */
  createFile(path: string, content: string): boolean
  /** Creates the directory and its parents; returns the first that it made, undefined when they were all there. */
  makeDirectory(path: string): string | undefined
  rename(from: string, to: string): void
  /** Gives a file a second name; false when something has that already, or there cannot be two. */
  link(from: string, to: string): boolean
  /** Removes a file; false when there is none. */
  remove(path: string): boolean
  /** Removes an empty directory; false when there is none, or it is not empty. */
  removeDirectory(path: string): boolean
  /** Returns once what was written to the file would survive a power cut; of one that is gone, at once. */
  sync(path: string): void
  /** Has the file system note its own present time as the file's ctime, which takes no space. */
  touch(path: string): void
  /** Gives a file or directory of this user's to others; of what it may not do, it does nothing. */
  setAccess(path: string, access: Access): void
  /** About the file system that a path is on. */
  fileSystem(path: string): FileSystem
}

/** A named pipe in a file's place must not make anybody wait, nor a link let bytes be added to a file of the user's. */
const NO_OTHERS = (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)
const FLAGS = {
  read: constants.O_RDONLY | NO_OTHERS,
  append: constants.O_RDWR | constants.O_APPEND | NO_OTHERS,
  create: constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | NO_OTHERS,
}

const KIND_MASK = 0o170000
const FILE_KIND = 0o100000
const DIRECTORY_KIND = 0o040000

/** Not by `isFile` and `isDirectory`, which take as long as all the rest. */
function kindOf(mode: number): FileStat['kind'] {
  const kind = mode & KIND_MASK
  return kind === FILE_KIND ? 'file' : kind === DIRECTORY_KIND ? 'directory' : 'other'
}

function toFileStat(stats: Stats): FileStat {
  return {
    kind: kindOf(stats.mode),
    sizeBytes: small(stats.size),
    diskBytes: stats.blocks * 512,
    mtimeMs: stats.mtimeMs,
    ctimeMs: stats.ctimeMs,
    inode: stats.ino,
    device: stats.dev,
    links: stats.nlink,
    owner: stats.uid,
    group: stats.gid,
    mode: stats.mode & 0o7777,
  }
}

/**
 * The same number as a small integer of the engine's where it is one. A stat's numbers are doubles, and so is what is added to
 * them: code that was compiled for integers is given up when it meets the first.
 */
function small(value: number): number {
  const integer = value | 0
  return integer === value ? integer : value
}

/** The result, or undefined where the error is one of the codes. */
function unless<T>(codes: readonly string[], call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    if (codes.includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}

function toItem(entry: Dirent<Buffer>): DirectoryItem {
  const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'link' : 'other'
  const text = entry.name.toString()
  const name = Buffer.from(text).equals(entry.name) ? text : `\0${entry.name.toString('latin1')}`
  return { name, kind }
}

const MISSING = ['ENOENT', 'ENOTDIR']
const WITHOUT_ERROR = { throwIfNoEntry: false } as const

function statOf(call: typeof statSync, path: string): FileStat | undefined {
  try {
    const stats = call(path, WITHOUT_ERROR)
    return stats && toFileStat(stats)
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** What a directory gives when it is opened to be written to. */
const IS_DIRECTORY = ['EISDIR', 'EPERM', 'EACCES']
/** What a file system gives that has nothing to sync. */
const NOT_SYNCED = ['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EACCES', 'EROFS', ...MISSING]
const NOT_PERMITTED = ['EPERM', 'EACCES', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EROFS', ...MISSING]

function sync(path: string): void {
  unless(NOT_SYNCED, () => {
    // Windows syncs only what may be written to.
    const writable = unless(IS_DIRECTORY, () => openSync(path, constants.O_RDWR | NO_OTHERS))
    const fd = writable ?? openSync(path, constants.O_RDONLY | NO_OTHERS)
    try {
      if (writable === undefined) fsyncSync(fd)
      else fdatasyncSync(fd)
    } finally {
      closeSync(fd)
    }
  })
}

function setAccess(path: string, { owner, group, mode }: Access): void {
  unless(NOT_PERMITTED, () => {
    const fd = openSync(path, constants.O_RDONLY | NO_OTHERS)
    try {
      unless(NOT_PERMITTED, () => fchownSync(fd, owner, group))
      // Giving a file away takes bits from its mode.
      fchmodSync(fd, mode)
    } finally {
      closeSync(fd)
    }
  })
}

/** Types of `statfs` on Linux, https://man7.org/linux/man-pages/man2/statfs.2.html: disks, memory and what lies over these. */
const LOCAL_TYPES = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x858458f6, 0x794c7630, 0xf2f52010, 0xca451a4e, 0x2fc12fc1, 0x4d44,
  0x2011bab0, 0x5346544e, 0x7366746e, 0x52654973, 0x3153464a, 0x137d, 0x73717368, 0xe0f5e1e2, 0x958458f6, 0xf15f,
])
/** procfs, sysfs, debugfs, tracefs, cgroups, securityfs, selinuxfs, pstore, bpf, binfmt_misc, configfs, efivarfs, devpts, resctrl. */
const GENERATED_TYPES = new Set([
  0x9fa0, 0x62656572, 0x64626720, 0x74726163, 0x27e0eb, 0x63677270, 0x73636673, 0xf97cff8c, 0x6165676c, 0xcafe4a11,
  0x42494e4d, 0x62656570, 0xde5e81e4, 0x1cd1, 0x7655821,
])

function fileSystem(path: string): FileSystem {
  const found = unless(NOT_PERMITTED, () => statfsSync(path))
  if (!found) return { kind: 'unknown', freeBytes: Number.POSITIVE_INFINITY }
  const type = found.type >>> 0
  const isLocal = process.platform !== 'linux' || LOCAL_TYPES.has(type)
  const kind = isLocal ? 'local' : GENERATED_TYPES.has(type) ? 'generated' : 'unknown'
  // Where no size is known, there is no limit that could be known.
  return { kind, freeBytes: found.blocks > 0 ? found.bavail * found.bsize : Number.POSITIVE_INFINITY }
}

/** One by one: below /proc, Node's own recursion never ends. */
function makeDirectory(path: string): string | undefined {
  try {
    mkdirSync(path, DIR_MODE)
    return path
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' && dirname(path) !== path) {
      const first = makeDirectory(dirname(path))
      const made = unless(['EEXIST'], () => mkdirSync(path, DIR_MODE) ?? true)
      return first ?? (made ? path : undefined)
    }
    // On a read-only disk, what is there already may give another error.
    if (statOf(statSync, path)?.kind === 'directory') return undefined
    throw error
  }
}

export const nodeFiles: Files = {
  now: Date.now,
  open: (path, mode) => openSync(path, FLAGS[mode], FILE_MODE),
  close: closeSync,
  read: readSync,
  append: (fd, bytes, length) => writeSync(fd, bytes, 0, length, null),
  fstat: fd => toFileStat(fstatSync(fd)),
  stat: path => statOf(statSync, path),
  linkStat: path => statOf(lstatSync, path),
  list: path => unless(MISSING, () => readdirSync(path)),
  listKinds: path => unless(MISSING, () => readdirSync(path, { withFileTypes: true, encoding: 'buffer' }).map(toItem)),
  realPath: path => unless(MISSING, () => realpathSync.native(path)),
  readFile: path => unless(MISSING, () => readFileSync(path)),
  readAnyway: path => readFileSync(path),
  existsAnyway: path => existsSync(path),
  listAnyway: path => readdirSync(path),
  createFile: (path, content) =>
    unless(['EEXIST'], () => writeFileSync(path, content, { flag: 'wx', mode: FILE_MODE }) ?? true) ?? false,
  makeDirectory,
  rename: renameSync,
  link: (from, to) => unless(['EEXIST', ...NOT_PERMITTED], () => linkSync(from, to) ?? true) ?? false,
  remove: path => unless(MISSING, () => unlinkSync(path) ?? true) ?? false,
  removeDirectory: path => unless([...MISSING, 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(path) ?? true) ?? false,
  sync,
  touch(path) {
    const seconds = Date.now() / 1000
    utimesSync(path, seconds, seconds)
  },
  setAccess,
  fileSystem,
}
