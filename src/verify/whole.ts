import type { Hashing } from '../hashing/hashing.js'
import { blobLength } from '../packs/blob.js'

const HASH_BYTES = 16

/** Whether the bytes have the length and the hash that the blob id says. */
export function isWhole(hashing: Hashing, id: Buffer, bytes: Buffer): boolean {
  if (blobLength(id) !== bytes.length) return false
  const hash = Buffer.allocUnsafe(HASH_BYTES)
  hashing.digest(bytes, 0, bytes.length, hash, 0)
  return hash.compare(id, 0, HASH_BYTES) === 0
}
