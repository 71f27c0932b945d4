// Has a source changed since it was read?
//
// A fingerprint is what `stat` says (size, mtime, ctime, inode) and the digest of the content. Equal stat fields mean
// unchanged, without a read, unless the fingerprint is racy: taken so soon after the file's last change that another
// change could leave the same fields (https://git-scm.com/docs/racy-git). A racy or unequal stat is settled by content.
// A source may also be recorded as absent, and is stale once it exists; of a directory the names in it are the content.
//
// Not covered: a change that keeps size, inode, mtime and ctime. The ctime cannot be set, so that takes a system clock
// that was turned back.

import { CacheError } from '../base/errors.js'
import type { FileStat, Files } from '../files/files.js'
import type { Hashing } from '../hashing/hashing.js'

/** What it takes to look at a source. */
export interface Means {
  files: Files
  hashing: Hashing
}

export type SourceKind = 'absent' | 'file' | 'directory'

export interface Fingerprint {
  kind: SourceKind
  isRacy: boolean
  sizeBytes: number
  mtimeMs: number
  ctimeMs: number
  inode: number
  /** 16 bytes; zero for an absent source. */
  digest: Buffer
}

/** What a check found; `refreshed` is the fingerprint to remember where only the stat fields differ. */
export type SourceVerdict =
  | { isFresh: true; refreshed?: Fingerprint }
  | { isFresh: false; reason: 'source-changed' | 'source-missing' | 'source-appeared' }

/**
 * File systems count time in steps of up to 2 s (FAT), and a file may be written again within the step: a fingerprint
 * younger than that proves nothing by its times.
 */
const RACY_MS = 2000

const ABSENT: Fingerprint = {
  kind: 'absent',
  isRacy: false,
  sizeBytes: 0,
  mtimeMs: 0,
  ctimeMs: 0,
  inode: 0,
  digest: Buffer.alloc(16),
}

const UNCHANGED: SourceVerdict = { isFresh: true }

/**
 * Takes the fingerprint of the file or directory at this moment.
 *
 * @throws CacheError `ERR_CACHE_OPTION` for what is neither (a device, a pipe); errno-style errors when it cannot be read
 */
export function takeFingerprint(means: Means, path: string): Fingerprint {
  const { files } = means
  const nowMs = files.now()
  const stat = files.stat(path)
  if (stat?.kind === 'other') {
    throw new CacheError('ERR_CACHE_OPTION', `${path} is neither a file nor a directory.`, { value: path })
  }
  const digest = stat && digestSource(means, path, stat.kind)
  return stat && digest ? fingerprintOf(stat, stat.kind as SourceKind, digest, nowMs) : ABSENT
}

/** @throws errno-style errors when the source cannot be read */
export function checkFingerprint(means: Means, path: string, known: Fingerprint): SourceVerdict {
  const { files } = means
  const stat = files.stat(path)
  if (!stat) return known.kind === 'absent' ? UNCHANGED : { isFresh: false, reason: 'source-missing' }
  if (known.kind === 'absent') return { isFresh: false, reason: 'source-appeared' }
  if (stat.kind !== known.kind) return { isFresh: false, reason: 'source-changed' }
  const isSameStat =
    stat.mtimeMs === known.mtimeMs &&
    stat.ctimeMs === known.ctimeMs &&
    stat.inode === known.inode &&
    stat.sizeBytes === known.sizeBytes
  if (isSameStat && !known.isRacy) return UNCHANGED
  if (stat.sizeBytes !== known.sizeBytes && known.kind === 'file') return { isFresh: false, reason: 'source-changed' }
  const nowMs = files.now()
  const digest = digestSource(means, path, stat.kind)
  if (!digest) return { isFresh: false, reason: 'source-missing' }
  if (!digest.equals(known.digest)) return { isFresh: false, reason: 'source-changed' }
  const refreshed = fingerprintOf(stat, known.kind, digest, nowMs)
  return isSameStat && refreshed.isRacy ? UNCHANGED : { isFresh: true, refreshed }
}

/** `nowMs` must be from before the content was read: whatever changes afterwards is then younger than it. */
function fingerprintOf(stat: FileStat, kind: SourceKind, digest: Buffer, nowMs: number): Fingerprint {
  const { sizeBytes, mtimeMs, ctimeMs, inode } = stat
  const isRacy = Math.max(mtimeMs, ctimeMs) > nowMs - RACY_MS
  return { kind, isRacy, sizeBytes, mtimeMs, ctimeMs, inode, digest }
}

/** Digest of the content, undefined when the source has gone since it was looked at. */
function digestSource({ files, hashing }: Means, path: string, kind: FileStat['kind']): Buffer | undefined {
  const content = kind === 'directory' ? listingOf(files.list(path)) : files.readFile(path)
  if (!content) return undefined
  const digest = Buffer.allocUnsafe(16)
  hashing.digest(content, 0, content.length, digest, 0)
  return digest
}

function listingOf(names: string[] | undefined): Buffer | undefined {
  return names && Buffer.from(names.sort().join('\0'))
}
