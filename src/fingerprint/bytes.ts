// The bytes of a fingerprint; FORMAT.md has the table. Which kind it is, and whether it is racy, stands in a flags byte
// that has room for flags of others.

import { readU48 } from '../base/u48.js'
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
export function readFingerprint(flags: number, view: DataView, at: number): Fingerprint {
  const kind = KINDS[flags & KIND_MASK]
  if (kind === 'absent') return ABSENT
  const digestStart = at + STAT_BYTES
  if (!kind || digestStart + CONTENT_DIGEST_BYTES > view.byteLength) throw new RangeError('A fingerprint is cut short.')
  return {
    kind,
    isRacy: (flags & IS_RACY) !== 0,
    sizeBytes: readU48(view, at),
    mtimeMs: view.getFloat64(at + 6, true),
    ctimeMs: view.getFloat64(at + 14, true),
    inode: view.getFloat64(at + 22, true),
    digest: Buffer.from(view.buffer as ArrayBuffer, view.byteOffset + digestStart, CONTENT_DIGEST_BYTES),
  }
}
