import { errnoOf } from '../base/errors.js'
import type { Stats, statSync } from './node-fs.js'

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

/** Who may do what with a file or a directory. */
export type Access = Pick<FileStat, 'owner' | 'group' | 'mode'>

const KIND_MASK = 0o170000
const FILE_KIND = 0o100000
const DIRECTORY_KIND = 0o040000

/** Not by `isFile` and `isDirectory`, which take as long as all the rest. */
function kindOf(mode: number): FileStat['kind'] {
  const kind = mode & KIND_MASK
  return kind === FILE_KIND ? 'file' : kind === DIRECTORY_KIND ? 'directory' : 'other'
}

export function toFileStat(stats: Stats): FileStat {
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

const WITHOUT_ERROR = { throwIfNoEntry: false } as const

export function statOf(call: typeof statSync, path: string): FileStat | undefined {
  try {
    const stats = call(path, WITHOUT_ERROR)
    return stats && toFileStat(stats)
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}
