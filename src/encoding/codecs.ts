// What writers and readers agree on; FORMAT.md describes the bytes.

/** The first byte of a stored value. Numbers are never reused. */
export const CODEC = {
  json: 1,
  records: 2,
  recordsWithReferences: 3,
  cbor: 4,
  cborWithReferences: 5,
  foreignJson: 6,
} as const

/** How deep containers may be nested. cbor-x overflows Node's default stack at about 1,100 levels of objects. */
export const MAX_DEPTH = 1000
