// Encodes values. `decode` is the counterpart. The bytes depend on the value alone, and any process can read them.
//
// A decoded value equals the one that was encoded, or `encode` throws and names the path inside the value. Documented
// differences: objects without a prototype and objects of other realms come back with `Object.prototype`; accessors come back
// as the data they gave (they are read more than once); properties that are not enumerable, being frozen, the place of a view
// in its buffer, and named properties of long arrays and of typed arrays are not part of a value; and without `cyclic`, an
// object that is referred to twice comes back as two.

import { isStackOverflow } from '../base/errors.js'
import { writeCbor } from './cbor-writer.js'
import { CHOICE, choose } from './choice.js'
import { CODEC } from './codecs.js'
import { ObjectKinds } from './objects.js'
import type { ValueCodecOptions } from './options.js'
import { isTooLarge, Output } from './output.js'
import { writeRecords } from './record-writer.js'
import { refusedError, unwrittenError } from './refusal.js'

export interface ValueCodec {
  /**
   * The bytes, as a view that the next encode of any codec overwrites.
   *
   * @throws CacheError `ERR_CACHE_VALUE` with the path of what cannot be stored, `ERR_CACHE_VALUE_TOO_LARGE`.
   */
  encode(value: unknown): Uint8Array
}

export function createValueCodec(options: ValueCodecOptions): ValueCodec {
  const kinds = new ObjectKinds(options.classInstances)
  return {
    encode: value => writePlain(value, kinds, options.cyclic) ?? writeCbor(value, options),
  }
}

/** The value as JSON or records; undefined if it needs CBOR or can't be stored. */
function writePlain(value: unknown, kinds: ObjectKinds, isCyclic: boolean): Uint8Array | undefined {
  const output = new Output()
  try {
    const choice = value === undefined ? CHOICE.cbor : choose(value, kinds, isCyclic)
    if (choice === CHOICE.json) {
      output.bytes[output.position++] = CODEC.json
      output.writeText(JSON.stringify(value))
      return output.written()
    }
    return choice === CHOICE.records && writeRecords(output, value, kinds, isCyclic) ? output.written() : undefined
  } catch (error) {
    // CBOR might manage this depth, but another process, with another stack, would choose other bytes for this value.
    if (isStackOverflow(error)) throw refusedError(error, value)
    if (isTooLarge(error)) throw unwrittenError(error, value)
    // An accessor has thrown. The walk for CBOR finds out where.
    return undefined
  } finally {
    output.release()
  }
}
