// What a file's metadata (size, mtime, ctime, inode) proves about its content.
//
// Equal metadata means unchanged, without a read, unless it is racy: taken so soon after the file's last change that another
// change could leave the same metadata (https://git-scm.com/docs/racy-git). A racy or different file is compared by content.
//
// Not covered: a change that keeps size, inode, mtime and ctime. The ctime can't be set, so this happens only if the system
// clock was turned back. The strategy `content` detects this as well.

import type { FileStat } from '../files/files.js'

/**
 * File systems count time in steps of up to 2 s (FAT), and a file may be written again within the step. So the times of a
 * younger fingerprint prove nothing.
 */
const RACY_MS = 2000

/** Whether all metadata that would show a change are equal. */
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
