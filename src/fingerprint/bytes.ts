// The bytes of a fingerprint; FORMAT.md has the table. Which kind it is, and whether it is racy, stands in a flags byte
// that has room for flags of others.

import { CONTENT_DIGEST_BYTES } from '../hashing/hashing.js'
import { ABSENT, type Fingerprint, type SourceKind } from './fingerprint.js'

const KINDS: readonly SourceKind[] = ['absent', 'file', 'directory']
const KIND_MASK = 3
const IS_RACY = 4
const STAT_BYTES = 6 + 8 + 8 + 8

export function flagsOf({ kind, isRacy }: Fingerprint): number {
  return KINDS.indexOf(kind) | (isRacy ? IS_RACY : 0)
}

/** How many bytes follow the flags. */
export function fingerprintBytes({ kind }: Fingerprint): number {
  return kind === 'absent' ? 0 : STAT_BYTES + CONTENT_DIGEST_BYTES
}

/** Returns the offset after what was written. */
export function writeFingerprint(fingerprint: Fingerprint, bytes: Buffer, start: number): number {
  if (fingerprint.kind === 'absent') return start
  let at = bytes.writeUIntLE(fingerprint.sizeBytes, start, 6)
  at = bytes.writeDoubleLE(fingerprint.mtimeMs, at)
  at = bytes.writeDoubleLE(fingerprint.ctimeMs, at)
  at = bytes.writeDoubleLE(fingerprint.inode, at)
  return at + fingerprint.digest.copy(bytes, at)
}

/** @throws RangeError when the bytes are not a fingerprint */
export function readFingerprint(flags: number, bytes: Buffer, at: number): Fingerprint {
  const kind = KINDS[flags & KIND_MASK]
  if (kind === 'absent') return ABSENT
  const digestEnd = at + STAT_BYTES + CONTENT_DIGEST_BYTES
  if (!kind || digestEnd > bytes.length) throw new RangeError('A fingerprint is cut short.')
  return {
    kind,
    isRacy: (flags & IS_RACY) !== 0,
    sizeBytes: bytes.readUIntLE(at, 6),
    mtimeMs: bytes.readDoubleLE(at + 6),
    ctimeMs: bytes.readDoubleLE(at + 14),
    inode: bytes.readDoubleLE(at + 22),
    digest: bytes.subarray(at + STAT_BYTES, digestEnd),
  }
}
