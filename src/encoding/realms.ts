// Values of another realm, such as a test runner's sandbox, have other classes. Their internal slots tell what they are, and
// they are stored like values of this realm.

import { isBuiltinPrototype } from './builtin.js'
import { ERROR_CLASSES } from './carriers.js'

const { types } = process.getBuiltinModule('node:util')

export const isMap = (value: unknown): value is Map<unknown, unknown> => value instanceof Map || types.isMap(value)
export const isSet = (value: unknown): value is Set<unknown> => value instanceof Set || types.isSet(value)
export const isError = (value: unknown): value is Error => value instanceof Error || types.isNativeError(value)

export function isLeaf(value: unknown): boolean {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || types.isDate(value) || types.isRegExp(value)
}

/** The index of its error class, in any realm; -1 for none. */
export function errorClassOf(error: object): number {
  const prototype = Object.getPrototypeOf(error)
  const own = ERROR_CLASSES.findIndex(ErrorClass => ErrorClass.prototype === prototype)
  if (own >= 0 || prototype === null || !isBuiltinPrototype(prototype)) return own
  return ERROR_CLASSES.findIndex(({ name }) => name === prototype.constructor?.name)
}

/** For an instance of another realm's builtin class, an equal one of this realm; undefined for anything else. */
export function ofThisRealm(value: object): object | undefined {
  const prototype = Object.getPrototypeOf(value)
  if (prototype === null || !isBuiltinPrototype(prototype)) return undefined
  if (types.isDate(value)) return new Date(value.getTime())
  if (types.isMap(value)) return new Map(value as Map<unknown, unknown>)
  if (types.isSet(value)) return new Set(value as Set<unknown>)
  if (types.isRegExp(value)) return Object.assign(new RegExp(value.source, value.flags), { lastIndex: value.lastIndex })
  if (types.isTypedArray(value)) return typedArrayOfThisRealm(value)
  if (types.isDataView(value)) return new DataView(value.buffer, value.byteOffset, value.byteLength)
  // A resizable buffer is refused later.
  if (types.isArrayBuffer(value) && !(value as { resizable?: boolean }).resizable)
    return Uint8Array.from(new Uint8Array(value)).buffer
  return undefined
}

function typedArrayOfThisRealm(value: NodeJS.TypedArray): object | undefined {
  // The name is read from an internal slot.
  const TypedArray = TYPED_ARRAYS.find(({ name }) => name === value[Symbol.toStringTag])
  return TypedArray && new TypedArray(value.buffer as ArrayBuffer, value.byteOffset, value.length)
}

const TYPED_ARRAYS = [
  Uint8Array,
  Uint8ClampedArray,
  Uint16Array,
  Uint32Array,
  BigUint64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
] as const
