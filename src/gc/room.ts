// Lets a gc run on a full disk: steps that need space are left out, and blobs that can't be copied are given up.

import { CacheError, errnoOf } from '../base/errors.js'
import type { Files } from '../files/files.js'

const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EFBIG']
/** Space that stays free for other programs, and for index records of moved blobs. */
const RESERVE_BYTES = 64 * 1024

/** Returns the result of the work; undefined if the disk is full. */
export function ifRoom<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (!isNoRoom(error)) throw error
    return undefined
  }
}

/** Also true for a write that was cut short. */
export function isNoRoom(error: unknown): boolean {
  const cause = error instanceof CacheError ? error.cause : error
  return NO_ROOM.includes(errnoOf(cause) ?? '')
}

/** Whether this many bytes can be copied to this path's disk. */
export function hasRoomFor(files: Files, path: string, bytes: number): boolean {
  return files.fileSystem(path).freeBytes >= bytes + RESERVE_BYTES
}
