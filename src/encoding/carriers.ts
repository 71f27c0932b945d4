// A carrier replaces a value that cbor-x would alter. In the bytes it is tag 27, "generic object", around
// the array [name, ...parts] (http://cbor.schmorp.de/generic-object), which is also how cbor-x writes a RegExp.

import { defineOwn } from './define-own.js'

/** Stands for one value that is written as [name, ...parts]. */
export class Carrier {
  readonly name: string
  readonly parts: readonly unknown[]

  constructor(name: string, parts: readonly unknown[]) {
    this.name = name
    this.parts = parts
  }
}

/** The error classes that can be stored. Subclasses of them are refused. */
export const ERROR_CLASSES = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
] as const

/** A new error of the class with that index, without own properties (no `stack` either). */
export function bareError(index: number): Error {
  const ErrorClass = ERROR_CLASSES[index]
  if (!ErrorClass) throw new Error(`no error class ${index}`)
  const error = ErrorClass === AggregateError ? new AggregateError([]) : new (ErrorClass as ErrorConstructor)()
  for (const key of Reflect.ownKeys(error)) Reflect.deleteProperty(error, key)
  return error
}

/** The value that [name, ...parts] stands for. Throws on anything the writer doesn't write. */
export function revive(message: unknown): unknown {
  if (!Array.isArray(message)) throw new Error('a carrier is not an array')
  const [name, ...parts] = message
  switch (name) {
    case 'Number':
      return expect(parts[0] === '-0' || parts[0] === 'NaN', name) && Number(parts[0])
    case 'String':
      return expectBytes(parts[0]).toString('utf16le')
    case 'BigInt':
      return parts[1] === true ? -hexToBigInt(parts[0]) : hexToBigInt(parts[0])
    case 'Date':
      expect(typeof parts[0] === 'number', name)
      return new Date(parts[0])
    case 'RegExp': {
      const [source, flags, lastIndex = 0] = parts
      expect(typeof source === 'string' && typeof flags === 'string' && typeof lastIndex === 'number', name)
      const regexp = new RegExp(source, flags)
      regexp.lastIndex = lastIndex
      return regexp
    }
    case 'ArrayBuffer':
      return bufferOf(parts[0])
    case 'DataView':
      return new DataView(bufferOf(parts[0]))
    case 'Object':
      return reviveObject(parts)
    default:
      return reviveError(name, parts)
  }
}

function reviveObject(parts: readonly unknown[]): object {
  const object: Record<string, unknown> = {}
  for (let i = 0; i < parts.length; i += 2) {
    const key = parts[i]
    if (typeof key !== 'string' || i + 1 === parts.length) throw new Error('a carried object is malformed')
    if (key === '__proto__') defineOwn(object, key, parts[i + 1])
    else object[key] = parts[i + 1]
  }
  return object
}

function reviveError(name: unknown, parts: readonly unknown[]): Error {
  const error = bareError(ERROR_CLASSES.findIndex(ErrorClass => ErrorClass.name === name))
  for (let i = 0; i < parts.length; i += 3) {
    const [key, enumerable] = [parts[i], parts[i + 1]]
    if (typeof key !== 'string' || typeof enumerable !== 'boolean' || i + 2 >= parts.length)
      throw new Error('a carried error is malformed')
    defineOwn(error, key, parts[i + 2], enumerable)
  }
  return error
}

function hexToBigInt(hex: unknown): bigint {
  if (typeof hex !== 'string' || !/^[\da-f]+$/.test(hex)) throw new Error('a carried BigInt is malformed')
  return BigInt(`0x${hex}`)
}

function bufferOf(bytes: unknown): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = expectBytes(bytes)
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer
}

function expectBytes(bytes: unknown): Buffer {
  if (!Buffer.isBuffer(bytes)) throw new Error('carried bytes are malformed')
  return bytes
}

function expect(isWellFormed: boolean, name: string): true {
  if (!isWellFormed) throw new Error(`a carried ${name} is malformed`)
  return true
}
