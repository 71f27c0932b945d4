// Calls that change the disk, except appending and renaming.

import { dirname } from 'node:path'
import { errnoOf } from '../base/errors.js'
import { DIR_MODE, FILE_MODE } from '../base/layout.js'
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fdatasyncSync,
  fsyncSync,
  linkSync,
  MISSING,
  mkdirSync,
  NO_OTHERS,
  NOT_PERMITTED,
  openSync,
  rmdirSync,
  statSync,
  unless,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from './node-fs.js'
import { type Access, statOf } from './stat.js'

export function createFile(path: string, content: string): boolean {
  return unless(['EEXIST'], () => writeFileSync(path, content, { flag: 'wx', mode: FILE_MODE }) ?? true) ?? false
}

/** Creates one directory at a time: below /proc, Node's recursive call never ends. */
export function makeDirectory(path: string): string | undefined {
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
    // On a read-only disk, an existing file may give another error.
    if (statOf(statSync, path)?.kind === 'directory') return undefined
    throw error
  }
}

export function link(from: string, to: string): boolean {
  return unless(['EEXIST', ...NOT_PERMITTED], () => linkSync(from, to) ?? true) ?? false
}

export function remove(path: string): boolean {
  return unless(MISSING, () => unlinkSync(path) ?? true) ?? false
}

export function removeDirectory(path: string): boolean {
  return unless([...MISSING, 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(path) ?? true) ?? false
}

export function touch(path: string): void {
  const seconds = Date.now() / 1000
  utimesSync(path, seconds, seconds)
}

/** Errors of opening a directory for writing. */
const IS_DIRECTORY = ['EISDIR', 'EPERM', 'EACCES']
/** Errors of file systems that have nothing to sync. */
const NOT_SYNCED = ['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EACCES', 'EROFS', ...MISSING]

export function sync(path: string): void {
  unless(NOT_SYNCED, () => {
    // Windows syncs only files that are open for writing.
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

export function setAccess(path: string, { owner, group, mode }: Access): void {
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
