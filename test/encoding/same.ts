type Loose = Record<PropertyKey, unknown>

/**
 * Whether two values are the same under Object.is, with prototypes, property order and, when `sharing` is set, the same
 * references shared. The one difference allowed: an object without a prototype comes back with Object.prototype.
 */
export function isSame(expected: unknown, actual: unknown, sharing = false): boolean {
  const pairs = new Map<object, object>()
  const reverse = new Map<object, object>()
  const compare = (a: unknown, b: unknown): boolean => {
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b)
    if (sharing && (pairs.has(a) || reverse.has(b))) return pairs.get(a) === b && reverse.get(b) === a
    pairs.set(a, b)
    reverse.set(b, a)
    if ((Object.getPrototypeOf(a) ?? Object.prototype) !== Object.getPrototypeOf(b)) return false
    if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime())
    if (a instanceof RegExp && String(a) !== String(b)) return false
    if (a instanceof ArrayBuffer) return Buffer.from(a).equals(Buffer.from(b as ArrayBuffer))
    if (ArrayBuffer.isView(a)) return bytesOf(a).equals(bytesOf(b as ArrayBufferView))
    if (a instanceof Map)
      return a.size === (b as typeof a).size && compareAll([...a].flat(1), [...(b as typeof a)].flat(1))
    if (a instanceof Set) return a.size === (b as typeof a).size && compareAll([...a], [...(b as typeof a)])
    const keys = Reflect.ownKeys(a)
    if (!compareAll(keys, Reflect.ownKeys(b))) return false
    return keys.every(key => compare((a as Loose)[key], (b as Loose)[key]))
  }
  const compareAll = (a: readonly unknown[], b: readonly unknown[]) =>
    a.length === b.length && a.every((item, index) => compare(item, b[index]))
  return compare(expected, actual)
}

function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength)
}
