// The bytes of records; FORMAT.md describes them.

/** Bytes before the items: the codec and the length of the items, u32. */
export const ITEMS_START = 5

/** The first byte of an item. A name without a size begins a range that ends before the next name. */
export const OP = {
  /** An integer, as the difference from the last one in its column. */
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

/** Added to a difference so that it isn't negative. */
export const BIAS = { difference: 0x30, difference2: 0x400, difference3: 0x4_0000 } as const
export const SHORT_ARRAYS = OP.longArray - OP.array
export const SHORT_STRINGS = OP.string2 - OP.string
export const SHORT_STRINGS2 = SHORT_STRINGS + ((OP.record - OP.string2) << 8)
export const SHORT_RECORDS = OP.record2 - OP.record
export const SHORT_RECORDS2 = SHORT_RECORDS + ((0x100 - OP.record2) << 8)

/** The columns of values outside records and arrays, of the first seven elements of an array, and of its later elements. */
export const COLUMN = { other: 0, firstElement: 1, elements: 7, lastElement: 8, firstKey: 9 } as const

/** How many of a record's first keys can repeat the value of the last record with the same keys. */
export const MASKED_KEYS = 24

/** Strings of this length or more are written inline as UTF-8. As JSON they would take twice as long to write and read. */
export const TEXT_LENGTH = 1024
