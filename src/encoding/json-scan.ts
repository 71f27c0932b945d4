// Checks that bytes are JSON without parsing them into values, which would take many times the text's memory.

import { MAX_DEPTH } from './codecs.js'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const MINUS = 0x2d
const POINT = 0x2e
const PLUS = 0x2b
const ZERO = 0x30
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

const isDigit = (byte: number) => byte >= ZERO && byte <= 0x39
const isHex = (byte: number) => isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** The literals, by their first byte. */
const WORDS = new Map(
  ['true', 'false', 'null', 'NaN', 'Infinity'].map(word => [word.charCodeAt(0), Buffer.from(word)] as const),
)
const INFINITY = Buffer.from('Infinity')

/** Position and reason of the first error; undefined if the bytes are one JSON value (NaN and ±Infinity allowed). */
export function findMistake(bytes: Uint8Array): { offset: number; why: string } | undefined {
  const scan = new Scan(bytes)
  return scan.isOneValue() ? undefined : { offset: scan.position, why: scan.why }
}

class Scan {
  position = 0
  why = 'is no JSON'
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  isOneValue(): boolean {
    /** The closing brackets that are still expected. */
    const open = new Uint8Array(MAX_DEPTH)
    let depth = 0
    for (;;) {
      const first = this.#afterSpace()
      if (first === OPEN_ARRAY || first === OPEN_OBJECT) {
        if (depth === MAX_DEPTH) {
          this.why = `is nested more than ${MAX_DEPTH} levels deep`
          return false
        }
        const close = first === OPEN_ARRAY ? CLOSE_ARRAY : CLOSE_OBJECT
        this.position++
        if (this.#afterSpace() !== close) {
          open[depth++] = close
          if (close === CLOSE_OBJECT && !this.#key()) return false
          continue
        }
        this.position++
      } else if (!this.#scalar(first)) {
        return false
      }
      // A value has ended.
      for (;;) {
        const next = this.#afterSpace()
        if (depth === 0) return next === undefined
        const close = open[depth - 1]
        if (next === COMMA) {
          this.position++
          if (close === CLOSE_OBJECT && !this.#key()) return false
          break
        }
        if (next !== close) return false
        this.position++
        depth--
      }
    }
  }

  #afterSpace(): number | undefined {
    while (isSpace(this.#bytes[this.position] as number)) this.position++
    return this.#bytes[this.position]
  }

  #key(): boolean {
    if (this.#afterSpace() !== QUOTE || !this.#string() || this.#afterSpace() !== COLON) return false
    this.position++
    return true
  }

  #scalar(first: number | undefined): boolean {
    if (first === undefined) return false
    if (first === QUOTE) return this.#string()
    if (first === MINUS || isDigit(first)) return this.#number()
    const word = WORDS.get(first)
    return word !== undefined && this.#word(word)
  }

  #word(word: Uint8Array): boolean {
    for (let at = 0; at < word.length; at++) if (this.#bytes[this.position + at] !== word[at]) return false
    this.position += word.length
    return true
  }

  #string(): boolean {
    const bytes = this.#bytes
    let at = this.position + 1
    for (; ; at++) {
      const byte = bytes[at] as number
      if (byte === QUOTE) break
      if (byte === BACKSLASH) {
        const escaped = bytes[++at]
        if (escaped === 0x75) {
          for (let digits = 0; digits < 4; digits++) if (!isHex(bytes[++at] as number)) return this.#failAt(at)
        } else if (escaped === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(escaped))) {
          return this.#failAt(at)
        }
      } else if (!(byte >= 0x20)) {
        return this.#failAt(at)
      }
    }
    this.position = at + 1
    return true
  }

  #number(): boolean {
    const bytes = this.#bytes
    if (bytes[this.position] === MINUS) {
      this.position++
      if (bytes[this.position] === INFINITY[0]) return this.#word(INFINITY)
    }
    if (bytes[this.position] === ZERO) this.position++
    else if (!this.#digits()) return false
    if (bytes[this.position] === POINT) {
      this.position++
      if (!this.#digits()) return false
    }
    if (((bytes[this.position] as number) | 0x20) !== 0x65) return true
    this.position++
    if (bytes[this.position] === MINUS || bytes[this.position] === PLUS) this.position++
    return this.#digits()
  }

  #digits(): boolean {
    const start = this.position
    while (isDigit(this.#bytes[this.position] as number)) this.position++
    return this.position > start
  }

  #failAt(position: number): false {
    this.position = position
    return false
  }
}
