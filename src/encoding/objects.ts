// What may be stored as an object of its enumerable properties.

import { isBuiltinPrototype } from './builtin.js'

/** Looking for named properties (the `index` of a match) takes long in long arrays; those that have some are short. */
const NAMED_PROPERTIES_CHECKED = 64

const { types } = process.getBuiltinModule('node:util')

export const KIND = { other: 0, plain: 1, instance: 2 } as const

/** Tells kinds of objects for one setting of `classInstances`. */
export class ObjectKinds {
  readonly #mayBeInstance: boolean
  /** Prototypes of instances that may be stored as plain objects. */
  readonly #ordinary = new WeakSet<object>()
  #lastOrdinary: object | undefined

  constructor(classInstances: 'refuse' | 'plain') {
    this.#mayBeInstance = classInstances === 'plain'
  }

  /** The `KIND` of an object that is no array. */
  of(object: object): number {
    const prototype: object | null = Object.getPrototypeOf(object)
    if (prototype === Object.prototype || prototype === null) return KIND.plain
    if (prototype === this.#lastOrdinary) return KIND.instance
    if (!this.#ordinary.has(prototype)) {
      if (isForeignObjectPrototype(prototype)) return KIND.plain
      if (!this.#mayBeInstance || isBuiltinPrototype(prototype) || !isOrdinary(object)) return KIND.other
      this.#ordinary.add(prototype)
    }
    this.#lastOrdinary = prototype
    return KIND.instance
  }
}

/** The `Object.prototype` of another realm. */
export function isForeignObjectPrototype(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}

/** Of an instance of a class that isn't built in: whether its properties are likely to be all there is to it. */
export function isOrdinary(instance: object): boolean {
  return (
    Object.prototype.toString.call(instance) === '[object Object]' &&
    !(Symbol.iterator in instance || Symbol.asyncIterator in instance) &&
    typeof (instance as { toJSON?: unknown }).toJSON !== 'function'
  )
}

/** What would be lost of an instance with so many enumerable properties; undefined if nothing is known to be. */
export function hiddenDataOf(instance: object, propertyCount: number): string | undefined {
  if (Object.getOwnPropertyNames(instance).length > propertyCount) return 'with properties that are not enumerable'
  if (propertyCount === 0 && hasAccessors(instance)) return 'which shows its data through accessors alone'
  return undefined
}

function hasAccessors(instance: object): boolean {
  for (let at = Object.getPrototypeOf(instance); at !== null; at = Object.getPrototypeOf(at)) {
    // That of `Object.prototype`, for `__proto__`, is in any object.
    if (Object.getPrototypeOf(at) === null) return false
    const own = Object.getOwnPropertyDescriptors(at) as Record<string, PropertyDescriptor>
    if (Object.values(own).some(({ get }) => get)) return true
  }
  return false
}

/** Whether an array of this realm or another, of no subclass. */
export function isPlainArray(array: readonly unknown[]): boolean {
  const prototype = Object.getPrototypeOf(array)
  // Only the Array.prototype of a realm is itself an array.
  return prototype === Array.prototype || Array.isArray(prototype)
}

export function hasNamedProperties(array: readonly unknown[]): boolean {
  return array.length <= NAMED_PROPERTIES_CHECKED && Object.keys(array).length > array.length
}

export function nameOf(object: object): string {
  const name: unknown = object.constructor?.name
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an instance of an unnamed class'
}

/** Whether a regular expression of any realm, of no subclass and without added properties. */
export function isStorableRegExp(object: object): object is RegExp {
  if (!types.isRegExp(object) || Reflect.ownKeys(object).length > 1 || typeof object.lastIndex !== 'number')
    return false
  const prototype = Object.getPrototypeOf(object)
  return prototype === RegExp.prototype || (prototype !== null && isBuiltinPrototype(prototype))
}
