// What a file's metadata (size, mtime, ctime, inode) proves about its content.
//
// Equal metadata means unchanged, without a read, unless it is racy: taken so soon after the file's last change that another
// change could leave the same (https://git-scm.com/docs/racy-git). What is racy or unequal is settled by content.
//
// Not covered: a change that keeps size, inode, mtime and ctime. The ctime cannot be set, so that takes a system clock that
// was turned back. The strategy `content` covers that as well.

import type { FileStat } from '../files/files.js'

/**
 * File systems count time in steps of up to 2 s (FAT), and a file may be written again within the step: a fingerprint
 * younger than that proves nothing by its times.
 */
const RACY_MS = 2000

/** Whether all is equal by which a change could be told. */
export function isSameStat(
  stat: FileStat,
  known: Pick<FileStat, 'mtimeMs' | 'ctimeMs' | 'inode' | 'sizeBytes'>,
): boolean {
  return (
    stat.mtimeMs === known.mtimeMs &&
    stat.ctimeMs === known.ctimeMs &&
    stat.inode === known.inode &&
    stat.sizeBytes === known.sizeBytes
  )
}

/** Whether a change from `nowMs` on could leave the same stat. */
export function isRacy({ mtimeMs, ctimeMs }: FileStat, nowMs: number): boolean {
  return Math.max(mtimeMs, ctimeMs) > nowMs - RACY_MS
}
