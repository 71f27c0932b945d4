// Encodes a value as records: the items of its containers in order, with each string and each key list written once.
//
// Handles plain data and little more. On anything else it gives up without a reason: the walk for cbor-x then either stores
// the value or says what can't be stored.

import { CODEC, MAX_DEPTH } from './codecs.js'
import { KeyList } from './key-list.js'
import { hasNamedProperties, hiddenDataOf, isPlainArray, isStorableRegExp, KIND, type ObjectKinds } from './objects.js'
import type { Output } from './output.js'
import {
  BIAS,
  COLUMN,
  ITEMS_START,
  MASKED_KEYS,
  OP,
  SHORT_ARRAYS,
  SHORT_RECORDS,
  SHORT_RECORDS2,
  SHORT_STRINGS,
  SHORT_STRINGS2,
  TEXT_LENGTH,
} from './record-format.js'

const hasOwn = Object.prototype.hasOwnProperty

/** Returns whether the value was written; if not, discard the output. @throws TooLarge, and whatever an accessor throws */
export function writeRecords(output: Output, value: unknown, kinds: ObjectKinds, hasReferences: boolean): boolean {
  try {
    new RecordWriter(output, kinds, hasReferences).write(value)
    return true
  } catch (error) {
    if (error === NO_RECORDS) return false
    throw error
  }
}

const NO_RECORDS = new Error('There is something in the value that records cannot hold.')

class RecordWriter {
  readonly #output: Output
  readonly #kinds: ObjectKinds
  readonly #strings: string[] = []
  readonly #stringIds = new Map<string, number>()
  readonly #noKeys = new KeyList('')
  #keyListCount = 0
  /** The last integer in each column. */
  readonly #lasts: number[] = new Array(COLUMN.firstKey).fill(0)
  /** Every object seen, with its number; undefined if references aren't kept. */
  readonly #numbers: Map<object, number> | undefined
  #hasReferences = false
  #depth = 0

  constructor(output: Output, kinds: ObjectKinds, hasReferences: boolean) {
    this.#output = output
    this.#kinds = kinds
    if (hasReferences) this.#numbers = new Map()
  }

  write(root: unknown): void {
    const output = this.#output
    output.position = ITEMS_START
    this.#write(root, COLUMN.other)
    output.bytes[0] = this.#hasReferences ? CODEC.recordsWithReferences : CODEC.records
    output.bytes.writeUInt32LE(output.position - ITEMS_START, 1)
    output.writeText(jsonOf(this.#strings))
  }

  #write(value: unknown, column: number): void {
    const output = this.#output
    if (output.position > output.limit) output.grow(0)
    switch (typeof value) {
      case 'string':
        if (value.length < TEXT_LENGTH || !value.isWellFormed()) this.#writeString(value)
        else this.#writeText(value)
        break
      case 'number':
        this.#writeNumber(value, column)
        break
      case 'object':
        if (value === null) output.bytes[output.position++] = OP.null
        else this.#writeObject(value)
        break
      case 'boolean':
        output.bytes[output.position++] = value ? OP.true : OP.false
        break
      case 'undefined':
        output.bytes[output.position++] = OP.undefined
        break
      case 'bigint':
        output.bytes[output.position++] = OP.bigint
        this.#writeString(value.toString(16))
        break
      default:
        throw NO_RECORDS
    }
  }

  #writeString(text: string): void {
    const output = this.#output
    const id = this.#stringIds.get(text)
    if (id === undefined) {
      this.#stringIds.set(text, this.#strings.length)
      this.#strings.push(text)
      this.#lasts.push(0)
      output.bytes[output.position++] = OP.newString
    } else if (id < SHORT_STRINGS) {
      output.bytes[output.position++] = OP.string + id
    } else if (id < SHORT_STRINGS2) {
      const rest = id - SHORT_STRINGS
      output.bytes[output.position++] = OP.string2 + (rest >> 8)
      output.bytes[output.position++] = rest & 0xff
    } else {
      output.bytes[output.position++] = OP.longString
      this.#writeVarint(id)
    }
  }

  #writeText(text: string): void {
    const output = this.#output
    output.bytes[output.position++] = OP.text
    const lengthAt = output.position
    output.position += 4
    output.writeText(text)
    output.bytes.writeUInt32LE(output.position - lengthAt - 4, lengthAt)
  }

  #writeNumber(value: number, column: number): void {
    const output = this.#output
    const { bytes } = output
    if ((value | 0) !== value || Object.is(value, -0)) {
      this.#writeDouble(value)
      return
    }
    const difference = (value - (this.#lasts[column] as number)) | 0
    this.#lasts[column] = value
    if (difference >= -BIAS.difference && difference < BIAS.difference) {
      bytes[output.position++] = OP.difference + difference + BIAS.difference
    } else if (difference >= -BIAS.difference2 && difference < BIAS.difference2) {
      const rest = difference + BIAS.difference2
      bytes[output.position++] = OP.difference2 + (rest >> 8)
      bytes[output.position++] = rest & 0xff
    } else if (difference >= -BIAS.difference3 && difference < BIAS.difference3) {
      const rest = difference + BIAS.difference3
      bytes[output.position++] = OP.difference3 + (rest >> 16)
      bytes[output.position++] = (rest >> 8) & 0xff
      bytes[output.position++] = rest & 0xff
    } else {
      bytes[output.position++] = OP.difference5
      output.position = bytes.writeInt32LE(difference, output.position)
    }
  }

  #writeDouble(value: number): void {
    const output = this.#output
    // NaN has many bit patterns. Equal values must have equal bytes.
    output.bytes[output.position++] = Number.isNaN(value) ? OP.nan : OP.double
    if (!Number.isNaN(value)) output.position = output.bytes.writeDoubleLE(value, output.position)
  }

  #writeVarint(value: number): void {
    const output = this.#output
    let rest = value
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) output.bytes[output.position++] = 0x80 | (rest & 0x7f)
    output.bytes[output.position++] = rest
  }

  #writeObject(object: object): void {
    const number = this.#numbers?.get(object)
    if (this.#numbers && number !== undefined) {
      this.#writeReference(this.#numbers.size - number)
      return
    }
    this.#numbers?.set(object, this.#numbers.size)
    if (Array.isArray(object)) this.#writeArray(object)
    else {
      const kind = this.#kinds.of(object)
      if (kind === KIND.other) this.#writeRegExp(object)
      else this.#writeRecord(object, kind)
    }
  }

  #writeReference(distance: number): void {
    this.#hasReferences = true
    const output = this.#output
    output.bytes[output.position++] = OP.reference
    this.#writeVarint(distance)
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw NO_RECORDS
  }

  #writeRecord(record: object, kind: number): void {
    // Takes a third of the time of `for in` in long-lived processes. Each accessor is called once.
    const keys = Object.keys(record)
    const values = Object.values(record)
    if (values.length !== keys.length) throw NO_RECORDS
    let list = this.#noKeys
    for (let i = 0; i < keys.length; i++) list = list.with(keys[i] as string)
    this.#assertComplete(record, kind, list, keys.length)
    const output = this.#output
    const isFirst = list.id < 0
    if (isFirst) list.isMasked = values.some(isRepeatable)
    this.#writeKeyList(list, keys)
    const { columns, lasts } = list
    const maskAt = output.position
    const isMasked = !isFirst && list.isMasked
    if (isMasked) {
      for (let i = 0; i < keys.length && i < MASKED_KEYS; i += 8) output.bytes[output.position++] = 0
    }
    this.#enter()
    for (let i = 0; i < keys.length; i++) {
      const value = values[i]
      // Nested records may have the same keys, so this is known only now.
      if (i < MASKED_KEYS && isMasked && value === lasts[i] && isRepeatable(value)) {
        output.bytes[maskAt + (i >> 3)] = (output.bytes[maskAt + (i >> 3)] as number) | (1 << (i & 7))
      } else {
        this.#write(value, columns[i] as number)
        lasts[i] = value
      }
    }
    this.#depth--
  }

  #assertComplete(record: object, kind: number, list: KeyList, keyCount: number): void {
    if (kind === KIND.plain) {
      if (Object.getOwnPropertySymbols(record).length > 0) throw NO_RECORDS
      return
    }
    // The answer is the same for all instances of the class with these keys.
    const prototype = Object.getPrototypeOf(record)
    if (prototype !== list.prototype && hiddenDataOf(record, keyCount) !== undefined) throw NO_RECORDS
    list.prototype = prototype
  }

  #writeKeyList(list: KeyList, keys: readonly string[]): void {
    const output = this.#output
    const { id } = list
    if (id < 0) {
      list.id = this.#keyListCount++
      output.bytes[output.position++] = list.isMasked ? OP.newShape : OP.newUnmaskedShape
      this.#writeVarint(keys.length)
      const columns: number[] = []
      for (const key of keys) {
        output.grow(0)
        this.#writeString(key)
        columns.push(COLUMN.firstKey + (this.#stringIds.get(key) as number))
      }
      list.columns = columns
      output.grow(0)
    } else if (id < SHORT_RECORDS) {
      output.bytes[output.position++] = OP.record + id
    } else if (id < SHORT_RECORDS2) {
      const rest = id - SHORT_RECORDS
      output.bytes[output.position++] = OP.record2 + (rest >> 8)
      output.bytes[output.position++] = rest & 0xff
    } else {
      output.bytes[output.position++] = OP.longRecord
      this.#writeVarint(id)
    }
  }

  #writeArray(array: readonly unknown[]): void {
    if (!isPlainArray(array) || hasNamedProperties(array)) throw NO_RECORDS
    const { length } = array
    const output = this.#output
    if (length < SHORT_ARRAYS) output.bytes[output.position++] = OP.array + length
    else {
      output.bytes[output.position++] = OP.longArray
      this.#writeVarint(length)
    }
    this.#enter()
    for (let i = 0; i < length; i++) {
      const item = array[i]
      // A hole.
      if (item === undefined && !hasOwn.call(array, i)) throw NO_RECORDS
      this.#write(item, i < COLUMN.elements ? COLUMN.firstElement + i : COLUMN.lastElement)
    }
    this.#depth--
  }

  #writeRegExp(regexp: object): void {
    if (!isStorableRegExp(regexp)) throw NO_RECORDS
    const { source, flags, lastIndex } = regexp
    const output = this.#output
    output.bytes[output.position++] = OP.regexp
    this.#writeString(source)
    this.#writeString(flags)
    this.#write(lastIndex, COLUMN.other)
  }
}

function jsonOf(strings: readonly string[]): string {
  // The host may have added one to all arrays.
  if ('toJSON' in strings) Object.defineProperty(strings, 'toJSON', { value: undefined })
  return JSON.stringify(strings)
}

/** Integers are compared by column, and objects are written each time. */
function isRepeatable(value: unknown): boolean {
  return typeof value === 'string' || value === null || typeof value === 'boolean' || value === undefined
}
