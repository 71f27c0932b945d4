// Makes the keys for calls of wrapped functions.

import type { Entries } from '../entries/entries.js'

/** Longer arguments are replaced by their digest in the key. */
const MAX_ARGUMENT_BYTES = 256

/**
 * Returns a text that differs for different arguments: JSON if that keeps their values, so that people can read it, otherwise
 * their stored form, or its digest.
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
