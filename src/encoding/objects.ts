// Decides which objects can be stored by their enumerable properties.

import { isBuiltinPrototype } from './builtin.js'

/** Longer arrays aren't checked for named properties (such as a match's `index`): it takes long, and they rarely have any. */
const NAMED_PROPERTIES_CHECKED = 64

const { types } = process.getBuiltinModule('node:util')

export const KIND = { other: 0, plain: 1, instance: 2 } as const

/** Tells kinds of objects apart for one setting of `classInstances`. */
export class ObjectKinds {
  readonly #mayBeInstance: boolean
  /** Prototypes of instances that may be stored as plain objects. */
  readonly #ordinary = new WeakSet<object>()
  #lastOrdinary: object | undefined

  constructor(classInstances: 'refuse' | 'plain') {
    this.#mayBeInstance = classInstances === 'plain'
  }

  /** The `KIND` of an object that isn't an array. */
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

/** Whether an instance of the host's class probably has no state besides its properties. */
export function isOrdinary(instance: object): boolean {
  return (
    Object.prototype.toString.call(instance) === '[object Object]' &&
    !(Symbol.iterator in instance || Symbol.asyncIterator in instance) &&
    typeof (instance as { toJSON?: unknown }).toJSON !== 'function'
  )
}

/**
 * What storing the instance would lose, given its number of enumerable properties; undefined if nothing is known to be lost.
 */
export function hiddenDataOf(instance: object, propertyCount: number): string | undefined {
  if (Object.getOwnPropertyNames(instance).length > propertyCount) return 'with properties that are not enumerable'
  if (propertyCount === 0 && hasAccessors(instance)) return 'which shows its data through accessors alone'
  return undefined
}

function hasAccessors(instance: object): boolean {
  for (let at = Object.getPrototypeOf(instance); at !== null; at = Object.getPrototypeOf(at)) {
    // Every object inherits the accessor `__proto__` of `Object.prototype`.
    if (Object.getPrototypeOf(at) === null) return false
    const own = Object.getOwnPropertyDescriptors(at) as Record<string, PropertyDescriptor>
    if (Object.values(own).some(({ get }) => get)) return true
  }
  return false
}

/** Whether it is an array of any realm, but not of a subclass. */
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

/** Whether it is a regular expression of any realm, not of a subclass and without added properties. */
export function isStorableRegExp(object: object): object is RegExp {
  if (!types.isRegExp(object) || Reflect.ownKeys(object).length > 1 || typeof object.lastIndex !== 'number')
    return false
  const prototype = Object.getPrototypeOf(object)
  return prototype === RegExp.prototype || (prototype !== null && isBuiltinPrototype(prototype))
}
