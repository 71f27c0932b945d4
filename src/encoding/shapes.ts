// The keys of the records in a message. cbor-x says them where a record of that kind first stands, or takes them from a
// list of its own. A message of many records comes with that list, the shapes, so that what cbor-x works out for each of
// them serves all messages that hold the same.
//
// A message may be forged, so lists are frozen: no record is defined in it, as that one would be another message's next.

/** Characters of the texts under which lists of shapes are kept, and shapes: those of some hundred syntax trees. */
const MAX_KEPT_LENGTH = 1024 * 1024
/** Records, as many as it takes for what is compiled to have paid. */
const COMPILED_AFTER = 1000

interface Shape extends Array<string> {
  /** The build has cbor-x compile a reader after so many records, and for no shape that does not say this. */
  compiledAfter?: number
  latestReader?: RecordReader
}

/** Of records with so many of the keys; cbor-x compiles one for each number that it meets. */
interface RecordReader {
  propertyCount: number
}

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
  expectKeys(keys)
  return shapes.of(JSON.stringify(keys), () => {
    const shape: Shape = keys
    if (mayCompile()) shape.compiledAfter = COMPILED_AFTER
    return Object.defineProperty(shape, 'compiledReader', LIMITED_READERS)
  })
}

export function expectKeys(keys: unknown): asserts keys is string[] {
  if (!Array.isArray(keys)) throw new Error('the keys of a record are not an array')
  for (const key of keys) if (typeof key !== 'string' || key === '__proto__') throw new Error('a malformed record key')
}

/** The accessors are the same for all shapes, which the engine needs to read them quickly. */
const LIMITED_READERS: PropertyDescriptor & ThisType<Shape> = {
  get() {
    return this.latestReader
  },
  set(reader: RecordReader) {
    // Records that begin alike share a shape, so some end before its last key; none goes on after that.
    if (reader.propertyCount > this.length) throw new Error('a record is longer than its shape')
    this.latestReader = reader
  },
}

let isAllowed: boolean | undefined

/** A process may be without `eval`. */
function mayCompile(): boolean {
  try {
    isAllowed ??= new Function('return true')() as boolean
  } catch {
    isAllowed = false
  }
  return isAllowed
}
