// The lists of keys of the records in a message come before it, so that what cbor-x works out for each of them serves all
// messages that hold the same.
//
// A message may be forged, so these lists are frozen: no record is defined in it, as that one would be another message's next.

type Shape = string[]

/** Characters of the texts under which lists of shapes are kept, and shapes. */
const MAX_KEPT_LENGTH = 1024 * 1024

/** What was made of texts lately. */
class Made<T> {
  readonly #byText = new Map<string, T>()
  #length = 0

  of(text: string, make: () => T): T {
    const known = this.#byText.get(text)
    if (known) return known
    const made = make()
    if (this.#length + text.length > MAX_KEPT_LENGTH) {
      this.#byText.clear()
      this.#length = 0
    }
    this.#byText.set(text, made)
    this.#length += text.length
    return made
  }
}

const lists = new Made<readonly Shape[]>()
const shapes = new Made<Shape>()

/** @throws Error for a text that is not the JSON of lists of keys */
export function shapesIn(text: string): readonly (readonly string[])[] {
  return lists.of(text, () => {
    const found: unknown = JSON.parse(text)
    if (!Array.isArray(found)) throw new Error('the shapes are not a list')
    return Object.freeze(found.map(shapeOf))
  })
}

function shapeOf(keys: unknown): Shape {
  assertKeys(keys)
  return shapes.of(JSON.stringify(keys), () => Object.defineProperty(keys, 'slowReads', NEVER_MANY))
}

function assertKeys(keys: unknown): asserts keys is string[] {
  if (!Array.isArray(keys)) throw new Error('the keys of a record are not an array')
  for (const key of keys) if (typeof key !== 'string' || key === '__proto__') throw new Error('a malformed record key')
}

/**
 * cbor-x counts the records that it has read of a shape, and compiles a reader from text after the third. That takes as long
 * as reading a thousand records, and a process may forbid it.
 */
const NEVER_MANY: PropertyDescriptor = {
  get: () => Number.NaN,
  set: () => undefined,
}
