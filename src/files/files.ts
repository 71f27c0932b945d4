// Everything that touches a cache's disk goes through a Files object, so that a test can put a failing, short-writing or dying
// one in its place. All calls are synchronous and throw errno-style errors; the few that expect a missing file return
// undefined for it instead, because building an exception costs more than the call.

import { FILE_MODE } from '../base/layout.js'
import { createFile, link, makeDirectory, remove, removeDirectory, setAccess, sync, touch } from './changes.js'
import { type DirectoryItem, listKinds } from './directory-items.js'
import { type FileSystem, fileSystem } from './file-system.js'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  MISSING,
  NO_OTHERS,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  unless,
  writeSync,
} from './node-fs.js'
import { type Access, type FileStat, statOf, toFileStat } from './stat.js'

export type { DirectoryItem } from './directory-items.js'
export type { FileSystem, FileSystemKind } from './file-system.js'
export type { Access, FileStat } from './stat.js'

export type OpenMode = 'read' | 'append' | 'create'

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

const FLAGS = {
  read: constants.O_RDONLY | NO_OTHERS,
  append: constants.O_RDWR | constants.O_APPEND | NO_OTHERS,
  create: constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | NO_OTHERS,
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
  listKinds,
  realPath: path => unless(MISSING, () => realpathSync.native(path)),
  readFile: path => unless(MISSING, () => readFileSync(path)),
  readAnyway: path => readFileSync(path),
  existsAnyway: path => existsSync(path),
  listAnyway: path => readdirSync(path),
  createFile,
  makeDirectory,
  rename: renameSync,
  link,
  remove,
  removeDirectory,
  sync,
  touch,
  setAccess,
  fileSystem,
}
