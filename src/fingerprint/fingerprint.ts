// Has a source changed since it was read?
//
// A fingerprint is what `stat` says (size, mtime, ctime, inode) and the digest of the content. Equal stat fields mean
// unchanged, without a read, unless the fingerprint is racy: taken so soon after the file's last change that another
// change could leave the same fields (https://git-scm.com/docs/racy-git). A racy or unequal stat is settled by content.
// A source may also be recorded as absent, and is stale once it exists; of a directory the names in it are the content.
//
// A fingerprint is of what was read: its stat is from before the read, its digest of the very bytes. A change between the
// two leaves a stat that no longer fits, so that content decides.
//
// Not covered: a change that keeps size, inode, mtime and ctime. The ctime cannot be set, so that takes a system clock
// that was turned back. Strictness `content` covers that as well.

import { CacheError } from '../base/errors.js'
import type { Strictness } from '../base/types.js'
import type { FileStat, Files } from '../files/files.js'
import { CONTENT_DIGEST_BYTES, type Hashing } from '../hashing/hashing.js'

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

/** What was read of a source, and its fingerprint. */
export interface Reading {
  fingerprint: Fingerprint
  /** Bytes of a file, names of a directory joined by NUL; undefined for an absent source. */
  content: Buffer | undefined
}

/**
 * What a check found; `refreshed` is the fingerprint to remember where only the stat fields differ, `reading` what was read
 * of a source whose content does.
 */
export type SourceVerdict =
  | { isFresh: true; refreshed?: Fingerprint }
  | { isFresh: false; reason: 'source-changed' | 'source-missing' | 'source-appeared'; reading?: Reading }

/**
 * File systems count time in steps of up to 2 s (FAT), and a file may be written again within the step: a fingerprint
 * younger than that proves nothing by its times.
 */
const RACY_MS = 2000

export const ABSENT: Fingerprint = {
  kind: 'absent',
  isRacy: false,
  sizeBytes: 0,
  mtimeMs: 0,
  ctimeMs: 0,
  inode: 0,
  digest: Buffer.alloc(CONTENT_DIGEST_BYTES),
}

const UNCHANGED: SourceVerdict = { isFresh: true }

/**
 * Reads the file or directory and takes its fingerprint.
 *
 * @throws CacheError `ERR_CACHE_OPTION` for what is neither (a device, a pipe); errno-style errors when it cannot be read
 */
export function readSource({ files, hashing }: Means, path: string): Reading {
  // From before the content is read: whatever changes afterwards is then younger than it.
  const nowMs = files.now()
  const stat = files.stat(path)
  if (stat?.kind === 'other') {
    throw new CacheError('ERR_CACHE_OPTION', `${path} is neither a file nor a directory.`, { value: path })
  }
  const content = stat && contentOf(files, path, stat.kind)
  if (!content) return { fingerprint: ABSENT, content }
  return { fingerprint: fingerprintOf(stat, hashing.contentDigest(content), nowMs), content }
}

/**
 * Whether the source is still as it was when its fingerprint was taken. Strictness `stat` trusts equal stat fields even of
 * a racy fingerprint, and takes unequal ones for a change; `content` always reads.
 *
 * @throws errno-style errors when the source cannot be read
 */
export function checkFingerprint(
  { files, hashing }: Means,
  path: string,
  known: Fingerprint,
  strictness: Strictness = 'auto',
): SourceVerdict {
  const stat = files.stat(path)
  if (!stat) return known.kind === 'absent' ? UNCHANGED : { isFresh: false, reason: 'source-missing' }
  if (known.kind === 'absent') return { isFresh: false, reason: 'source-appeared' }
  if (stat.kind !== known.kind) return { isFresh: false, reason: 'source-changed' }
  const isSame = isSameStat(stat, known)
  if (isSame && (strictness === 'stat' || (strictness === 'auto' && !known.isRacy))) return UNCHANGED
  if (strictness === 'stat') return { isFresh: false, reason: 'source-changed' }
  if (stat.sizeBytes !== known.sizeBytes && known.kind === 'file') return { isFresh: false, reason: 'source-changed' }
  const nowMs = files.now()
  const content = contentOf(files, path, stat.kind)
  if (!content) return { isFresh: false, reason: 'source-missing' }
  const refreshed = fingerprintOf(stat, hashing.contentDigest(content), nowMs)
  if (!isSameContent(refreshed, known)) {
    return { isFresh: false, reason: 'source-changed', reading: { fingerprint: refreshed, content } }
  }
  return isSame && refreshed.isRacy === known.isRacy ? UNCHANGED : { isFresh: true, refreshed }
}

/** Whether both are of equal content. */
export function isSameContent(one: Fingerprint, other: Fingerprint): boolean {
  return one.kind === other.kind && one.digest.equals(other.digest)
}

/** Whether all is equal by which a change could be told. */
export function isSameStat(
  stat: FileStat,
  known: Pick<Fingerprint, 'mtimeMs' | 'ctimeMs' | 'inode' | 'sizeBytes'>,
): boolean {
  return (
    stat.mtimeMs === known.mtimeMs &&
    stat.ctimeMs === known.ctimeMs &&
    stat.inode === known.inode &&
    stat.sizeBytes === known.sizeBytes
  )
}

function fingerprintOf(stat: FileStat, digest: Buffer, nowMs: number): Fingerprint {
  const { kind, sizeBytes, mtimeMs, ctimeMs, inode } = stat
  return { kind: kind as SourceKind, isRacy: isRacy(stat, nowMs), sizeBytes, mtimeMs, ctimeMs, inode, digest }
}

/** Whether a change from `nowMs` on could leave the same stat. */
export function isRacy({ mtimeMs, ctimeMs }: FileStat, nowMs: number): boolean {
  return Math.max(mtimeMs, ctimeMs) > nowMs - RACY_MS
}

/** Undefined when the source has gone since it was looked at. */
function contentOf(files: Files, path: string, kind: FileStat['kind']): Buffer | undefined {
  if (kind !== 'directory') return files.readFile(path)
  const names = files.list(path)
  return names && Buffer.from(names.sort().join('\0'))
}
