// What a gc does on a disk without room: it leaves out what needs some, and gives up what it cannot copy.

import { CacheError, errnoOf } from '../base/errors.js'
import type { Files } from '../files/files.js'

const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EFBIG']
/** Left free for others, and for index records of moved blobs. */
const RESERVE_BYTES = 64 * 1024

/** The result of the work; undefined when there was no room for it. */
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

/** Whether so many bytes can be copied to where this path is. */
export function hasRoomFor(files: Files, path: string, bytes: number): boolean {
  return files.fileSystem(path).freeBytes >= bytes + RESERVE_BYTES
}
