// The key lists of a message's records come before the message. What cbor-x prepares for a list is then reused for every
// message with the same lists.
//
// A message may be forged, so the lists are frozen: a record defined inside one message would leak into the next.

type Shape = string[]

/** Limits of the memory of shapes, in characters of text and in shapes. */
const MAX_KEPT_LENGTH = 1024 * 1024

/** The shapes of recently read texts. */
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

/** @throws Error if the text isn't the JSON of key lists */
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
 * Stops cbor-x from compiling a reader from text. It does so after reading three records of a shape, which takes as long as
 * reading a thousand records and fails where code generation is forbidden.
 */
const NEVER_MANY: PropertyDescriptor = {
  get: () => Number.NaN,
  set: () => undefined,
}
