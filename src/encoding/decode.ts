// Decodes stored values. `encode` is the counterpart.

import { CacheError } from '../base/errors.js'
import { readCbor } from './cbor-reader.js'
import { CODEC, MAX_DEPTH } from './codecs.js'
import { parseForeignJson } from './foreign-json.js'
import { readRecords } from './record-reader.js'

/**
 * The value that was encoded.
 *
 * @throws CacheError `ERR_CACHE_CODEC` for a codec that another version of the library has, `ERR_CACHE_CORRUPT` for bytes
 *   that are malformed
 */
export function decodeValue(bytes: Uint8Array): unknown {
  const codec = bytes[0]
  try {
    const buffer = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length)
    switch (codec) {
      case CODEC.json:
        return readJson(buffer, JSON.parse)
      case CODEC.records:
      case CODEC.recordsWithReferences:
        return readRecords(buffer, codec === CODEC.recordsWithReferences)
      case CODEC.cbor:
      case CODEC.cborWithReferences:
        return readCbor(buffer)
      case CODEC.foreignJson:
        return readJson(buffer, parseForeignJson)
      default:
    }
  } catch (cause) {
    // A module of the library couldn't be loaded.
    if (cause instanceof CacheError) throw cause
    throw new CacheError('ERR_CACHE_CORRUPT', 'A stored value cannot be decoded.', { value: bytes, cause })
  }
  if (!codec) throw new CacheError('ERR_CACHE_CORRUPT', 'A stored value has no codec.', { value: bytes })
  const message = `A stored value has codec ${codec}, which this version of wicked-cache does not know.`
  throw new CacheError('ERR_CACHE_CODEC', message, { value: bytes })
}

function readJson(bytes: Buffer, parse: (text: string) => unknown): unknown {
  const value = parse(bytes.toString('utf8', 1))
  // Each level takes at least two bytes.
  if (bytes.length > 2 * MAX_DEPTH) assertDepth(value, MAX_DEPTH)
  return value
}

function assertDepth(value: unknown, levelsLeft: number): void {
  if (typeof value !== 'object' || value === null) return
  if (levelsLeft === 0) throw new Error(`more than ${MAX_DEPTH} levels`)
  for (const item of Object.values(value)) assertDepth(item, levelsLeft - 1)
}
