// What writers and readers agree on; FORMAT.md describes the bytes.

/** The first byte of a value. A number is never used again for something else. */
export const CODEC = {
  json: 1,
  records: 2,
  recordsWithReferences: 3,
  cbor: 4,
  cborWithReferences: 5,
  foreignJson: 6,
} as const

/** Containers within containers. cbor-x overflows the default stack of Node at about 1,100 levels of objects. */
export const MAX_DEPTH = 1000
