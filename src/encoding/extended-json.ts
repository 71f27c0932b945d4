// JSON with NaN, Infinity and -Infinity, as Python and others write it.

import { MAX_DEPTH } from './codecs.js'
import { defineOwn } from './define-own.js'

const SPACE = /[ \t\n\r]*/y
const TOKEN_WITHOUT_QUOTES = /[{}[\],:]|[^ \t\n\r{}[\],:"]+|$/y

const NUMBERS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/** Parses text that `JSON.parse` refuses. Try `JSON.parse` first: it is much faster. @throws SyntaxError */
export function parseExtendedJson(text: string): unknown {
  const reader = new Reader(text)
  const value = reader.value(MAX_DEPTH)
  if (reader.token !== '') throw new SyntaxError('There is more than one value.')
  return value
}

class Reader {
  token = ''
  readonly #text: string
  #position = 0

  constructor(text: string) {
    this.#text = text
    this.#next()
  }

  value(levelsLeft: number): unknown {
    const token = this.#next()
    const number = Object.hasOwn(NUMBERS, token) ? NUMBERS[token] : undefined
    if (number !== undefined) return number
    if (token !== '[' && token !== '{') return JSON.parse(token)
    if (levelsLeft === 0) throw new SyntaxError(`There are more than ${MAX_DEPTH} levels.`)
    return token === '[' ? this.#array(levelsLeft - 1) : this.#object(levelsLeft - 1)
  }

  #array(levelsLeft: number): unknown[] {
    const items: unknown[] = []
    if (this.#skip(']')) return items
    do items.push(this.value(levelsLeft))
    while (this.#skip(','))
    this.#expect(']')
    return items
  }

  #object(levelsLeft: number): object {
    const fields = {}
    if (this.#skip('}')) return fields
    do {
      const key = this.#next()
      if (!key.startsWith('"')) throw new SyntaxError('A key is missing.')
      this.#expect(':')
      defineOwn(fields, JSON.parse(key), this.value(levelsLeft))
    } while (this.#skip(','))
    this.#expect('}')
    return fields
  }

  /** Returns the current token and advances to the next. */
  #next(): string {
    const { token } = this
    this.#match(SPACE)
    this.token = this.#text[this.#position] === '"' ? this.#string() : this.#match(TOKEN_WITHOUT_QUOTES)
    return token
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#position
    const [token = ''] = pattern.exec(this.#text) ?? []
    this.#position += token.length
    return token
  }

  /** The string with its quotes. A regular expression would overflow on long strings with many escapes. */
  #string(): string {
    const start = this.#position
    for (let end = start; ; ) {
      end = this.#text.indexOf('"', end + 1)
      if (end < 0) throw new SyntaxError(`The string at ${start} has no end.`)
      let escapes = end
      while (this.#text[escapes - 1] === '\\') escapes--
      if ((end - escapes) % 2 !== 0) continue
      this.#position = end + 1
      return this.#text.slice(start, this.#position)
    }
  }

  #skip(token: string): boolean {
    if (this.token !== token) return false
    this.#next()
    return true
  }

  #expect(token: string): void {
    if (!this.#skip(token)) throw new SyntaxError(`${token} is missing before ${this.#position}.`)
  }
}
