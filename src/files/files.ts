// Everything that touches a cache's disk goes through a Files object, so that a test can put a failing, short-writing or dying
// one in its place. All calls are synchronous and throw errno-style errors; the few that expect a missing file return
// undefined for it instead, because building an exception costs more than the call.

import type { Dirent, Stats } from 'node:fs'
import { errnoOf } from '../base/errors.js'
import { DIR_MODE, FILE_MODE } from '../base/layout.js'

// Imported as an ES module it takes 1.5 ms more, for exports that nobody here needs.
const {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
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
  /** Hard links: 0 for an open file that was deleted. */
  links: number
  owner: number
  group: number
  /** Permission bits. */
  mode: number
}

export interface DirectoryItem {
  name: string
  kind: 'file' | 'directory' | 'link' | 'other'
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
  /** Creates the directory and its parents. */
  makeDirectory(path: string): void
  rename(from: string, to: string): void
  /** Removes a file; false when there is none. */
  remove(path: string): boolean
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
    links: stats.nlink,
    owner: stats.uid,
    group: stats.gid,
    mode: stats.mode & 0o777,
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

function toItem(entry: Dirent): DirectoryItem {
  const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'link' : 'other'
  return { name: entry.name, kind }
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
  listKinds: path => unless(MISSING, () => readdirSync(path, { withFileTypes: true }).map(toItem)),
  realPath: path => unless(MISSING, () => realpathSync.native(path)),
  readFile: path => unless(MISSING, () => readFileSync(path)),
  readAnyway: path => readFileSync(path),
  existsAnyway: path => existsSync(path),
  listAnyway: path => readdirSync(path),
  createFile: (path, content) =>
    unless(['EEXIST'], () => writeFileSync(path, content, { flag: 'wx', mode: FILE_MODE }) ?? true) ?? false,
  makeDirectory(path) {
    mkdirSync(path, { recursive: true, mode: DIR_MODE })
  },
  rename: renameSync,
  remove: path => unless(MISSING, () => unlinkSync(path) ?? true) ?? false,
}
