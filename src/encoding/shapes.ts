// The keys of the records in a message. cbor-x says them where a record of that kind first stands, or takes them from a
// list of its own. A message of many records comes with that list, the shapes, so that what cbor-x works out for each of
// them serves all messages that hold the same.
//
// A message may be forged, so lists are frozen: no record is defined in it, as that one would be another message's next.

/** Lists of shapes, and shapes, that are kept at most. */
const MAX_LISTS = 1024
const MAX_SHAPES = 4096
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

const listsByText = new Map<string, readonly Shape[]>()
const shapesByText = new Map<string, Shape>()

/** @throws Error for a text that is not the JSON of lists of keys */
export function shapesIn(text: string): readonly (readonly string[])[] {
  let shapes = listsByText.get(text)
  if (shapes) return shapes
  const lists: unknown = JSON.parse(text)
  if (!Array.isArray(lists)) throw new Error('the shapes are not a list')
  shapes = Object.freeze(lists.map(shapeOf))
  if (listsByText.size >= MAX_LISTS) listsByText.clear()
  listsByText.set(text, shapes)
  return shapes
}

function shapeOf(keys: unknown): Shape {
  expectKeys(keys)
  const text = JSON.stringify(keys)
  const known = shapesByText.get(text)
  if (known) return known
  const shape: Shape = keys
  if (mayCompile()) shape.compiledAfter = COMPILED_AFTER
  Object.defineProperty(shape, 'compiledReader', LIMITED_READERS)
  if (shapesByText.size >= MAX_SHAPES) shapesByText.clear()
  shapesByText.set(text, shape)
  return shape
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
