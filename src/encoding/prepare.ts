// Walks a value before cbor-x sees it. It refuses what wouldn't decode to an equal value. Where cbor-x would alter something,
// it is replaced by a carrier, and the containers around it are copied. Ordinary values are returned as they are.

import { Carrier, ERROR_CLASSES } from './carriers.js'
import { MAX_DEPTH } from './codecs.js'
import {
  hasNamedProperties,
  hiddenDataOf,
  isForeignObjectPrototype,
  isOrdinary,
  isPlainArray,
  nameOf,
} from './objects.js'
import { errorClassOf, isError, ofThisRealm } from './realms.js'
import { Refusal, refusalIn, type Segment } from './refusal.js'

const hasOwn = Object.prototype.hasOwnProperty

export interface Context {
  readonly classInstances: 'refuse' | 'plain'
  /** The references to write instead of containers that a cyclic message holds once. */
  references: ReadonlyMap<object, object> | undefined
  /** Whether objects are written with their keys, because there are too many key lists. */
  readonly hasOwnKeys: boolean
}

/** The value, or its replacement. @throws Refusal */
export function prepare(value: unknown, depth: number, context: Context): unknown {
  if (isWrittenAsItIs(value)) return value
  switch (typeof value) {
    case 'object':
      return context.references?.get(value as object) ?? prepareContents(value as object, depth, context)
    case 'string':
      return new Carrier('String', [Buffer.from(value, 'utf16le')])
    case 'number':
      return new Carrier('Number', [Object.is(value, -0) ? '-0' : 'NaN'])
    case 'bigint':
      return prepareBigInt(value)
    default:
      throw new Refusal(`is a ${typeof value}`, value)
  }
}

/** Kept small so that V8 inlines it into the loops. Most values need no more than this. */
function isWrittenAsItIs(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return !isAltered(value)
    case 'number':
      // cbor-x writes -0 as 0. It writes NaN with the bits it has, which would give equal values different bytes.
      return value === 0 ? !Object.is(value, -0) : !Number.isNaN(value)
    case 'object':
      return value === null
    default:
      return typeof value === 'boolean' || value === undefined
  }
}

/** Like `prepare`, for an object that may be replaced by a reference. */
export function prepareContents(value: object, depth: number, context: Context): unknown {
  if (depth > MAX_DEPTH) throw new Refusal(`is nested deeper than ${MAX_DEPTH} levels`, value)
  if (Array.isArray(value)) return prepareArray(value, depth, context)
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return preparePlain(value, depth, context)
  const builtin = BUILTINS.get(prototype)
  if (builtin) return builtin(value as never, depth, context)
  if (isForeignObjectPrototype(prototype)) return preparePlain(value, depth, context)
  if (isError(value) && errorClassOf(value) >= 0) return prepareError(value, depth, context)
  const own = ofThisRealm(value)
  if (own) {
    refuseProperties(value, Object.hasOwn(own, 'lastIndex') ? 1 : Reflect.ownKeys(own).length)
    const prepareOwn = BUILTINS.get(Object.getPrototypeOf(own))
    if (prepareOwn) return prepareOwn(own as never, depth, context)
  }
  return prepareInstance(value, depth, context)
}

/** `TextDecoder` drops a leading byte order mark, and UTF-8 has no lone surrogates. */
function isAltered(text: string): boolean {
  return text.charCodeAt(0) === 0xfeff || !text.isWellFormed()
}

/** Keys that cbor-x doesn't keep: it renames the first when decoding and uses the second for its own data when encoding. */
function isAlteredKey(key: string): boolean {
  return key === '__proto__' || key === '__keys__' || isAltered(key)
}

function preparePlain(object: object, depth: number, context: Context): unknown {
  if (Object.getOwnPropertySymbols(object).length > 0) throw new Refusal('has a symbol as a key', object)
  return prepareProperties(object as Record<string, unknown>, depth, context, object)
}

/** `holder` is the caller's object: `object` itself, or the class instance that `object` is a copy of. */
function prepareProperties(object: Record<string, unknown>, depth: number, context: Context, holder: object): unknown {
  if (context.hasOwnKeys) return prepareEntries(object, depth, context, holder)
  let copy: Record<string, unknown> | undefined
  let hasAlteredKey = false
  let key = ''
  try {
    // Takes half the time of a loop over Object.keys(). V8 optimizes this call inside `for in`, but not Object.hasOwn.
    for (key in object) {
      if (!hasOwn.call(object, key)) continue
      hasAlteredKey = isAlteredKey(key)
      if (hasAlteredKey) break
      const item = object[key]
      if (isWrittenAsItIs(item)) continue
      const prepared = prepare(item, depth + 1, context)
      if (prepared !== item) {
        copy ??= { ...object }
        copy[key] = prepared
      }
    }
  } catch (error) {
    throw refusalIn(error, holder, key)
  }
  return hasAlteredKey ? prepareEntries(object, depth, context, holder) : (copy ?? object)
}

function prepareEntries(object: Record<string, unknown>, depth: number, context: Context, holder: object): Carrier {
  const parts: unknown[] = []
  let key = ''
  try {
    for (key of Object.keys(object)) parts.push(prepare(key, depth, context), prepare(object[key], depth + 1, context))
  } catch (error) {
    throw refusalIn(error, holder, key)
  }
  return new Carrier('Object', parts)
}

function prepareArray(array: unknown[], depth: number, context: Context): unknown {
  if (!isPlainArray(array)) throw new Refusal(`is ${nameOf(array)}`, array)
  if (hasNamedProperties(array)) throw new Refusal('is an array with named properties', array)
  // An object of another realm.
  let copy = Object.getPrototypeOf(array) === Array.prototype ? undefined : Array.from(array)
  let i = 0
  try {
    for (; i < array.length; i++) {
      const item = array[i]
      if (item === undefined && !Object.hasOwn(array, i)) throw new Refusal('is a hole in a sparse array', array)
      if (isWrittenAsItIs(item)) continue
      const prepared = prepare(item, depth + 1, context)
      if (prepared !== item) {
        copy ??= array.slice()
        copy[i] = prepared
      }
    }
  } catch (error) {
    throw refusalIn(error, array, i)
  }
  return copy ?? array
}

function prepareMap(map: Map<unknown, unknown>, depth: number, context: Context): unknown {
  refuseProperties(map)
  if (map.size === 0) return map
  const copy = new Map<unknown, unknown>()
  let isChanged = false
  let segment: Segment = ['keys', 0]
  try {
    for (const [key, item] of map) {
      segment = ['keys', copy.size]
      const preparedKey = prepare(key, depth + 1, context)
      segment = ['values', copy.size]
      const prepared = prepare(item, depth + 1, context)
      isChanged ||= preparedKey !== key || prepared !== item
      copy.set(preparedKey, prepared)
    }
  } catch (error) {
    throw refusalIn(error, map, segment)
  }
  return isChanged ? copy : map
}

function prepareSet(set: Set<unknown>, depth: number, context: Context): unknown {
  refuseProperties(set)
  if (set.size === 0) return set
  const copy = new Set<unknown>()
  let isChanged = false
  try {
    for (const item of set) {
      const prepared = prepare(item, depth + 1, context)
      isChanged ||= prepared !== item
      copy.add(prepared)
    }
  } catch (error) {
    throw refusalIn(error, set, ['values', copy.size])
  }
  return isChanged ? copy : set
}

/** The own properties of an error with their enumerability, `message`, `stack` and `cause` included. */
function prepareError(error: Error, depth: number, context: Context): Carrier {
  if (Object.prototype.toString.call(error) !== '[object Error]') throw new Refusal(`is ${nameOf(error)}`, error)
  const parts: unknown[] = []
  let segment = ''
  try {
    for (const key of Reflect.ownKeys(error)) {
      if (typeof key === 'symbol') throw new Refusal('has a symbol as a key', error)
      segment = key
      const item = (error as unknown as Record<string, unknown>)[key]
      const isEnumerable = Object.prototype.propertyIsEnumerable.call(error, key)
      parts.push(prepare(key, depth, context), isEnumerable, prepare(item, depth + 1, context))
    }
  } catch (reason) {
    throw refusalIn(reason, error, segment)
  }
  return new Carrier(ERROR_CLASSES[errorClassOf(error)]?.name ?? 'Error', parts)
}

/** cbor-x reads and writes larger ones a byte at a time, in quadratic time. */
function prepareBigInt(value: bigint): unknown {
  const magnitude = value < 0n ? -value : value
  if (BigInt.asUintN(64, magnitude) === magnitude) return value
  return new Carrier('BigInt', [magnitude.toString(16), value < 0n])
}

/** cbor-x stores seconds: far from 1970 their fractions are coarser than a millisecond. */
function prepareDate(date: Date): unknown {
  refuseProperties(date)
  const timeMs = date.getTime()
  if (Number.isNaN(timeMs)) return new Carrier('Date', [new Carrier('Number', ['NaN'])])
  return Math.round((timeMs / 1000) * 1000) === timeMs ? date : new Carrier('Date', [timeMs])
}

function prepareRegExp(regexp: RegExp, depth: number, context: Context): unknown {
  refuseProperties(regexp, 1)
  const { source, flags, lastIndex } = regexp
  if (Object.is(lastIndex, 0) && !isAltered(source)) return regexp
  if (typeof lastIndex !== 'number') throw new Refusal('has a lastIndex that is not a number', regexp)
  return new Carrier('RegExp', [prepare(source, depth, context), flags, prepare(lastIndex, depth, context)])
}

function prepareArrayBuffer(buffer: ArrayBuffer): Carrier {
  refuseProperties(buffer)
  if ((buffer as { resizable?: boolean }).resizable) throw new Refusal('is a resizable ArrayBuffer', buffer)
  return new Carrier('ArrayBuffer', [Buffer.from(buffer)])
}

function prepareDataView(view: DataView): Carrier {
  refuseProperties(view)
  return new Carrier('DataView', [Buffer.from(view.buffer, view.byteOffset, view.byteLength)])
}

function prepareInstance(instance: object, depth: number, context: Context): unknown {
  if (context.classInstances === 'refuse' || !isOrdinary(instance))
    throw new Refusal(`is ${nameOf(instance)}`, instance)
  const hidden = hiddenDataOf(instance, Object.keys(instance).length)
  if (hidden) throw new Refusal(`is ${nameOf(instance)} ${hidden}`, instance)
  const copy: Record<string, unknown> = { ...instance }
  for (const key of Object.getOwnPropertySymbols(copy)) Reflect.deleteProperty(copy, key)
  return prepareProperties(copy, depth, context, instance)
}

function refuseProperties(object: object, expected = 0): void {
  if (Reflect.ownKeys(object).length > expected) throw new Refusal(`is ${nameOf(object)} with added properties`, object)
}

type PrepareBuiltin = (value: never, depth: number, context: Context) => unknown
const asItIs: PrepareBuiltin = value => value

const BUILTINS = new Map<object, PrepareBuiltin>([
  [Map.prototype, prepareMap],
  [Set.prototype, prepareSet],
  [Date.prototype, prepareDate],
  [RegExp.prototype, prepareRegExp],
  [ArrayBuffer.prototype, prepareArrayBuffer],
  [DataView.prototype, prepareDataView],
  [Buffer.prototype, asItIs],
  [Uint8Array.prototype, asItIs],
  [Uint8ClampedArray.prototype, asItIs],
  [Uint16Array.prototype, asItIs],
  [Uint32Array.prototype, asItIs],
  [BigUint64Array.prototype, asItIs],
  [Int8Array.prototype, asItIs],
  [Int16Array.prototype, asItIs],
  [Int32Array.prototype, asItIs],
  [BigInt64Array.prototype, asItIs],
  [Float32Array.prototype, asItIs],
  [Float64Array.prototype, asItIs],
  ...ERROR_CLASSES.map(({ prototype }): [object, PrepareBuiltin] => [prototype, prepareError]),
])
