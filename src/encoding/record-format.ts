// The bytes of records; FORMAT.md describes them.

/** Bytes before the items: the codec and the length of the items, u32. */
export const ITEMS_START = 5

/** The first byte of an item. A name without a size is the first of a range that ends before the next one. */
export const OP = {
  /** An integer, as the difference to the last one of its column. */
  difference: 0x00,
  difference2: 0x60,
  difference3: 0x68,
  difference5: 0x70,
  double: 0x71,
  null: 0x72,
  undefined: 0x73,
  true: 0x74,
  false: 0x75,
  nan: 0x76,
  bigint: 0x77,
  regexp: 0x78,
  reference: 0x79,
  newString: 0x7a,
  longString: 0x7b,
  newShape: 0x7c,
  newUnmaskedShape: 0x7d,
  longRecord: 0x7e,
  text: 0x7f,
  array: 0x80,
  longArray: 0x8f,
  string: 0x90,
  string2: 0xb0,
  record: 0xc0,
  record2: 0xf8,
} as const

/** What is added to a difference, so that it isn't negative. */
export const BIAS = { difference: 0x30, difference2: 0x400, difference3: 0x4_0000 } as const
export const SHORT_ARRAYS = OP.longArray - OP.array
export const SHORT_STRINGS = OP.string2 - OP.string
export const SHORT_STRINGS2 = SHORT_STRINGS + ((OP.record - OP.string2) << 8)
export const SHORT_RECORDS = OP.record2 - OP.record
export const SHORT_RECORDS2 = SHORT_RECORDS + ((0x100 - OP.record2) << 8)

/** The column of what is neither in a record nor in an array, then those of the first elements and of all later ones. */
export const COLUMN = { other: 0, firstElement: 1, elements: 7, lastElement: 8, firstKey: 9 } as const

/** So many of a record's first keys can have the value of the last record with the same keys. */
export const MASKED_KEYS = 24

/** Strings from this length on stand where they are, in UTF-8: as JSON, they take twice as long to write and to read. */
export const TEXT_LENGTH = 1024
