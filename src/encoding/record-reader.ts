// Decodes records, in time and memory bounded by the length of the bytes. No item is trusted: a forged one is refused or
// gives some plain value. Nothing from the bytes is ever run.

import { MAX_DEPTH } from './codecs.js'
import { setProperty, setterOf } from './properties.js'
import { BIAS, COLUMN, ITEMS_START, MASKED_KEYS, OP, SHORT_RECORDS, SHORT_STRINGS } from './record-format.js'

interface KeyList {
  keys: readonly string[]
  columns: readonly number[]
  /** How to set each key; see `setProperty`. */
  setters: readonly number[]
  /** The primitive values of the last record. */
  lasts: unknown[]
  /** Whether later records mark which values equal the last record's. */
  isMasked: boolean
}

/** @throws Error of any class for bytes that the writer doesn't write */
export function readRecords(bytes: Buffer, hasReferences: boolean): unknown {
  return new RecordReader(bytes, hasReferences).read()
}

class RecordReader {
  readonly #bytes: Buffer
  readonly #end: number
  #position = ITEMS_START
  readonly #strings: readonly string[]
  #stringCount = 0
  readonly #keyLists: KeyList[] = []
  /** The last integer in each column. */
  readonly #lasts: Int32Array
  #depth = 0
  /** With references: every object read so far. */
  readonly #objects: object[] | undefined
  /** The parsed integers, by text. A forged value may repeat a long one many times. */
  readonly #bigints = new Map<string, bigint>()

  constructor(bytes: Buffer, hasReferences: boolean) {
    this.#bytes = bytes
    this.#end = ITEMS_START + bytes.readUInt32LE(1)
    this.#strings = stringsIn(bytes.toString('utf8', this.#end))
    this.#lasts = new Int32Array(COLUMN.firstKey + this.#strings.length)
    if (hasReferences) this.#objects = []
  }

  read(): unknown {
    const root = this.#item(COLUMN.other)
    if (this.#position !== this.#end || this.#stringCount !== this.#strings.length)
      throw new Error('the items and their bytes do not match')
    if (root === undefined) throw new Error('the value is undefined')
    return root
  }

  #item(column: number): unknown {
    const bytes = this.#bytes
    const op = bytes[this.#position++] as number
    if (op < OP.difference2) return this.#integer(column, op - OP.difference - BIAS.difference)
    if (op >= OP.record) return this.#record(this.#keyListOf(op), false)
    if (op >= OP.string) return this.#stringAt(this.#stringId(op))
    if (op >= OP.array) return this.#array(op === OP.longArray ? this.#size(1) : op - OP.array)
    switch (op) {
      case OP.newString:
      case OP.longString:
        return this.#stringAt(this.#stringId(op))
      case OP.newShape:
        return this.#record(this.#newKeyList(true), true)
      case OP.newUnmaskedShape:
        return this.#record(this.#newKeyList(false), true)
      case OP.longRecord:
        return this.#record(this.#keyListAt(this.#varint()), false)
      case OP.text:
        return this.#text()
      case OP.null:
        return null
      case OP.undefined:
        return undefined
      case OP.true:
        return true
      case OP.false:
        return false
      case OP.nan:
        return Number.NaN
      case OP.double:
        return this.#double()
      case OP.difference5:
        this.#position += 4
        return this.#integer(column, bytes.readInt32LE(this.#position - 4))
      default:
        return op < OP.difference5 ? this.#longInteger(column, op) : this.#rare(op)
    }
  }

  #rare(op: number): unknown {
    switch (op) {
      case OP.bigint:
        return this.#bigint()
      case OP.regexp:
        return this.#regexp()
      case OP.reference:
        return this.#reference()
      default:
        // Past the end of the bytes.
        throw new Error('an item is missing')
    }
  }

  #integer(column: number, difference: number): number {
    const value = ((this.#lasts[column] as number) + difference) | 0
    this.#lasts[column] = value
    return value
  }

  #longInteger(column: number, op: number): number {
    const bytes = this.#bytes
    const second = bytes[this.#position++] as number
    if (op < OP.difference3) return this.#integer(column, (((op - OP.difference2) << 8) | second) - BIAS.difference2)
    const third = bytes[this.#position++] as number
    return this.#integer(column, (((op - OP.difference3) << 16) | (second << 8) | third) - BIAS.difference3)
  }

  #double(): number {
    this.#position += 8
    return this.#bytes.readDoubleLE(this.#position - 8)
  }

  #text(): string {
    const start = this.#position + 4
    this.#position = start + this.#bytes.readUInt32LE(this.#position)
    return this.#bytes.toString('utf8', start, this.#position)
  }

  #stringId(op: number): number {
    if (op === OP.newString) return this.#stringCount++
    if (op === OP.longString) return this.#varint()
    if (op < OP.string || op >= OP.record) throw new Error('an item is not a string')
    if (op < OP.string2) return op - OP.string
    const rest = this.#bytes[this.#position++] as number
    return SHORT_STRINGS + (((op - OP.string2) << 8) | rest)
  }

  #stringAt(id: number): string {
    const text = this.#strings[id]
    if (text === undefined) throw new Error('a string is missing')
    return text
  }

  #string(): string {
    return this.#stringAt(this.#stringId(this.#bytes[this.#position++] as number))
  }

  #varint(): number {
    let value = 0
    for (let factor = 1; factor < 2 ** 35; factor *= 0x80) {
      const byte = this.#bytes[this.#position++] as number
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    throw new Error('a number is malformed')
  }

  /** The count of items that follow; each takes at least `size` bytes. */
  #size(bytesEach: number): number {
    const size = this.#varint()
    if (size * bytesEach > this.#end - this.#position) throw new Error('a size goes past the end')
    return size
  }

  #keyListOf(op: number): KeyList {
    if (op < OP.record2) return this.#keyListAt(op - OP.record)
    const rest = this.#bytes[this.#position++] as number
    return this.#keyListAt(SHORT_RECORDS + (((op - OP.record2) << 8) | rest))
  }

  #keyListAt(id: number): KeyList {
    const list = this.#keyLists[id]
    if (!list) throw new Error('a list of keys is missing')
    return list
  }

  #newKeyList(isMasked: boolean): KeyList {
    const keys: string[] = []
    const columns: number[] = []
    for (let count = this.#size(1); count > 0; count--) {
      const id = this.#stringId(this.#bytes[this.#position++] as number)
      keys.push(this.#stringAt(id))
      columns.push(COLUMN.firstKey + id)
    }
    if (new Set(keys).size !== keys.length) throw new Error('a key is there twice')
    const list = { keys, columns, setters: keys.map(setterOf), lasts: new Array(keys.length), isMasked }
    this.#keyLists.push(list)
    return list
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw new Error(`more than ${MAX_DEPTH} levels`)
  }

  /** Registers an object before its contents are read, so that they can refer to it. */
  #begin<T extends object>(object: T): T {
    this.#objects?.push(object)
    return object
  }

  #record(list: KeyList, isFirst: boolean): object {
    const { keys, columns, setters, lasts } = list
    const bytes = this.#bytes
    this.#enter()
    const record = this.#begin({})
    let repeated = 0
    const isMasked = list.isMasked && !isFirst
    if (isMasked) {
      for (let i = 0; i < keys.length && i < MASKED_KEYS; i += 8) repeated |= (bytes[this.#position++] as number) << i
    }
    for (let i = 0; i < keys.length; i++) {
      let value: unknown
      const op = bytes[this.#position] as number
      if (i < MASKED_KEYS && (repeated >> i) & 1) value = lasts[i]
      else if (op < OP.difference2) {
        this.#position++
        value = this.#integer(columns[i] as number, op - OP.difference - BIAS.difference)
      } else {
        value = this.#item(columns[i] as number)
        lasts[i] = typeof value === 'object' ? null : value
      }
      setProperty(record, setters[i] as number, keys[i] as string, value)
    }
    this.#depth--
    return record
  }

  #array(length: number): unknown[] {
    // A push to an empty array would allocate 17 elements.
    if (length === 2 && !this.#objects) {
      this.#enter()
      const array = [this.#item(COLUMN.firstElement), this.#item(COLUMN.firstElement + 1)]
      this.#depth--
      return array
    }
    if (length === 1 && !this.#objects) {
      this.#enter()
      const array = [this.#item(COLUMN.firstElement)]
      this.#depth--
      return array
    }
    this.#enter()
    const array = this.#begin<unknown[]>([])
    for (let i = 0; i < length; i++)
      array.push(this.#item(i < COLUMN.elements ? COLUMN.firstElement + i : COLUMN.lastElement))
    this.#depth--
    return array
  }

  #regexp(): RegExp {
    const source = this.#string()
    const regexp = new RegExp(source, this.#string())
    const lastIndex = this.#item(COLUMN.other)
    if (typeof lastIndex !== 'number') throw new Error('a regular expression is malformed')
    regexp.lastIndex = lastIndex
    return this.#begin(regexp)
  }

  #reference(): object {
    const objects = this.#objects ?? []
    const object = objects[objects.length - this.#varint()]
    if (!object) throw new Error('a reference has no target')
    return object
  }

  #bigint(): bigint {
    const hex = this.#string()
    let value = this.#bigints.get(hex)
    if (value === undefined) {
      value = bigintOf(hex)
      this.#bigints.set(hex, value)
    }
    return value
  }
}

function stringsIn(text: string): readonly string[] {
  const strings: unknown = JSON.parse(text)
  if (!Array.isArray(strings) || strings.some(each => typeof each !== 'string')) throw new Error('malformed strings')
  return strings
}

function bigintOf(hex: string): bigint {
  if (!/^-?[\da-f]+$/.test(hex)) throw new Error('a bigint is malformed')
  return hex.startsWith('-') ? -BigInt(`0x${hex.slice(1)}`) : BigInt(`0x${hex}`)
}
