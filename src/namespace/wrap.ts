// Functions whose results are cached by their arguments.

import { CacheError } from '../base/errors.js'
import type { WrapOptions } from '../base/types.js'
import { type EntryKey, encodeVersion } from '../manifest/manifest.js'
import type { Entries } from './entries.js'
import { checkSetOptions, type Lifetime } from './options.js'

type Call<Args extends unknown[]> = (...args: Args) => { key: EntryKey; lifetime: Lifetime }

/** Longer encoded arguments stand in the key as their digest. */
const MAX_ARGUMENT_BYTES = 256

/**
 * What tells where the result of a call is kept. The function's text is part of it, so that another function, or a new
 * text of the same one, never answers for this one.
 *
 * @throws CacheError `ERR_CACHE_OPTION`
 */
export function callsOf<Args extends unknown[]>(
  entries: Entries,
  compute: (...args: Args) => unknown,
  options: WrapOptions<Args>,
): Call<Args> {
  if (typeof compute !== 'function') {
    throw new CacheError('ERR_CACHE_OPTION', 'Only a function can be wrapped.', { value: compute })
  }
  const { name = compute.name, version = '', key = keyOfArguments(entries), files, ttlMs } = options
  if (name === '') {
    throw new CacheError('ERR_CACHE_OPTION', 'A function without a name needs the option `name`.', { value: compute })
  }
  const { hashing } = entries.store.environment
  const text = Buffer.from(String(compute))
  const digest = Buffer.alloc(16)
  hashing.digest(text, 0, text.length, digest, 0)
  const versionBytes = encodeVersion(`${entries.version}\0${version}\0${name}\0${digest.toString('base64url')}`)
  return (...args) => ({
    key: entries.keyOf(key(...args), versionBytes),
    lifetime: checkSetOptions({
      ...(ttlMs === undefined ? {} : { ttlMs }),
      ...(files ? { files: files(...args) } : {}),
    }),
  })
}

/** As JSON where that keeps what they are, so that a person can read it; else by their stored form. */
function keyOfArguments(entries: Entries): (...args: unknown[]) => string {
  return (...args) => {
    if (args.every(isPlain)) {
      const key = JSON.stringify(args)
      if (key.length <= MAX_ARGUMENT_BYTES) return key
    }
    const bytes = entries.encode(args)
    if (bytes.length <= MAX_ARGUMENT_BYTES) return `cbor ${Buffer.from(bytes).toString('base64url')}`
    return `sha256 ${entries.store.environment.hashing.contentDigest(bytes).toString('base64url')}`
  }
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  return typeof value === 'string' || typeof value === 'boolean' || value === null
}
