// All access to a cache's disk goes through a Files object, so that tests can replace it with one that fails, writes short or
// dies. All calls are synchronous and throw errno-style errors. The few calls that expect missing files return undefined for
// them, because creating an exception costs more than the call.

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
  /** The current time of the clock that file times are compared with. */
  now(): number
  /** `append` and `create` give an O_APPEND descriptor that can also read; only `create` makes the file. */
  open(path: string, mode: OpenMode): number
  close(fd: number): void
  /** Returns the number of bytes read, 0 at the end of the file. */
  read(fd: number, into: Uint8Array, at: number, length: number, position: number): number
  /** Returns the number of bytes written, which is smaller than asked for if the disk becomes full. */
  append(fd: number, bytes: Uint8Array, length: number): number
  fstat(fd: number): FileStat
  stat(path: string): FileStat | undefined
  /** Like `stat`, but doesn't follow a symbolic link, whose kind is `other`. */
  linkStat(path: string): FileStat | undefined
  /** The names in a directory; undefined if it doesn't exist. */
  list(path: string): string[] | undefined
  /** The items of a directory, without following links; undefined if it doesn't exist. */
  listKinds(path: string): DirectoryItem[] | undefined
  /** The path without symbolic links, in the file system's spelling; undefined if nothing is there. */
  realPath(path: string): string | undefined
  readFile(path: string): Buffer | undefined
  /** Reads a path as a caller passed it, even a pipe or a device. @throws as `fs.readFileSync` does */
  readAnyway(path: string): Buffer
  /** Whether there is something at a path. @throws as `fs.existsSync` does, under the permission model */
  existsAnyway(path: string): boolean
  /** The names in a directory. @throws as `fs.readdirSync` does */
  listAnyway(path: string): string[]
  /** Creates the file with this content. Returns false if something is there already. */
  createFile(path: string, content: string): boolean
  /** Creates the directory and its parents. Returns the first that it created; undefined if all existed. */
  makeDirectory(path: string): string | undefined
  rename(from: string, to: string): void
  /** Gives a file a second name. Returns false if the name is taken, or the file system has no hard links. */
  link(from: string, to: string): boolean
  /** Removes a file. Returns false if there is none. */
  remove(path: string): boolean
  /** Removes an empty directory. Returns false if there is none, or it is not empty. */
  removeDirectory(path: string): boolean
  /** Syncs the file, so that its content survives a power cut. Does nothing if the file is gone. */
  sync(path: string): void
  /** Sets the file's ctime to the file system's current time, which takes no space. */
  touch(path: string): void
  /** Changes owner and mode of a file or directory of this user, as far as that is permitted. */
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
