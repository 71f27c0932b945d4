import { errnoOf } from '../base/errors.js'
import type { Stats, statSync } from './node-fs.js'

export interface FileStat {
  kind: 'file' | 'directory' | 'other'
  sizeBytes: number
  /** The size on disk, in whole blocks. */
  diskBytes: number
  /** Times in ms, with the file system's fractions. */
  mtimeMs: number
  ctimeMs: number
  inode: number
  /** The device number of its file system. */
  device: number
  /** Hard links: 0 for an open file that was deleted. */
  links: number
  owner: number
  group: number
  /** Permission bits, with those for sticky directories and inherited groups. */
  mode: number
}

/** Owner, group and permission bits of a file or directory. */
export type Access = Pick<FileStat, 'owner' | 'group' | 'mode'>

const KIND_MASK = 0o170000
const FILE_KIND = 0o100000
const DIRECTORY_KIND = 0o040000

/** Avoids `isFile` and `isDirectory`, which take as long as all the rest. */
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
 * Converts a number to a small integer of the engine, if it is one. A stat's numbers are doubles, and so are sums with them.
 * Code that was compiled for integers is deoptimized by the first double.
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
