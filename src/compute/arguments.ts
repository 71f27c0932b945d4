// The keys of wrapped functions' calls.

import type { Entries } from '../entries/entries.js'

/** Longer encoded arguments stand in the key as their digest. */
const MAX_ARGUMENT_BYTES = 256

/**
 * A text for arguments, which is another one for other arguments: as JSON where that keeps what they are, so that a person can
 * read it; else by their stored form.
 *
 * @throws CacheError `ERR_CACHE_VALUE` for an argument that can't be stored as it is
 */
export function keyOfArguments(entries: Entries, args: readonly unknown[]): string {
  if (args.every(isPlain)) {
    const key = JSON.stringify(args)
    if (Buffer.byteLength(key) <= MAX_ARGUMENT_BYTES && key.isWellFormed()) return key
  }
  const bytes = entries.encoder.encodeExactly(args)
  if (bytes.length <= MAX_ARGUMENT_BYTES) return `base64url ${Buffer.from(bytes).toString('base64url')}`
  return `sha256 ${entries.store.environment.hashing.contentDigest(bytes).toString('base64url')}`
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  return typeof value === 'string' || typeof value === 'boolean' || value === null
}
