// Node's file system, and which of its errors are expected.

import { errnoOf } from '../base/errors.js'

export type { Dirent, Stats } from 'node:fs'

// Imported as an ES module it takes 1.5 ms more, for exports that nobody here needs.
export const {
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

/** A named pipe in a file's place must not make anybody wait, nor a link let bytes be added to a file of the user's. */
export const NO_OTHERS = (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)

export const MISSING = ['ENOENT', 'ENOTDIR']
export const NOT_PERMITTED = ['EPERM', 'EACCES', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EROFS', ...MISSING]

/** The result, or undefined where the error is one of the codes. */
export function unless<T>(codes: readonly string[], call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    if (codes.includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
