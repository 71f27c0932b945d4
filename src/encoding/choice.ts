// Chooses the codec of a value by looking at its first containers and primitives. The choice depends on the value alone, so
// equal values have equal bytes.

import { hasNamedProperties, hiddenDataOf, isPlainArray, isStorableRegExp, KIND, type ObjectKinds } from './objects.js'

/**
 * Values within these limits are written as JSON, which needs no code of ours to read. Beyond them records win: with more
 * objects they take a fifth of the bytes and half the time to read, with more numbers a third of the bytes, and longer texts
 * are written in a tenth of the time. Any number of short strings stays JSON.
 */
const MAX_JSON = { containers: 64, otherThanStrings: 200, textLength: 4096 }

export const CHOICE = {
  json: 0,
  /** The choice so far. It changes if something is found that only CBOR can encode. */
  records: 1,
  cbor: 2,
} as const

/** @throws whatever an accessor of the value throws */
export function choose(value: unknown, kinds: ObjectKinds, hasReferences: boolean): number {
  return new Look(kinds, hasReferences).at(value)
}

class Look {
  readonly #kinds: ObjectKinds
  readonly #seen: Set<object> | undefined
  #isOver = false
  #containersLeft = MAX_JSON.containers
  #othersLeft = MAX_JSON.otherThanStrings

  constructor(kinds: ObjectKinds, hasReferences: boolean) {
    this.#kinds = kinds
    if (hasReferences) this.#seen = new Set()
  }

  /** The first codec in the list that can hold everything seen so far. */
  at(value: unknown): number {
    if (typeof value === 'string') return value.length <= MAX_JSON.textLength ? CHOICE.json : this.#end(CHOICE.records)
    if (--this.#othersLeft < 0) return this.#end(CHOICE.records)
    switch (typeof value) {
      case 'boolean':
        return CHOICE.json
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0) ? CHOICE.json : CHOICE.records
      case 'undefined':
      case 'bigint':
        return CHOICE.records
      case 'object':
        return value === null ? CHOICE.json : this.#object(value)
      default:
        return this.#end(CHOICE.cbor)
    }
  }

  /** True when nothing more can change the choice. */
  #end(choice: number): number {
    this.#isOver = true
    return choice
  }

  #object(object: object): number {
    if (--this.#containersLeft < 0) return this.#end(CHOICE.records)
    if (this.#seen) {
      if (this.#seen.has(object)) return CHOICE.records
      this.#seen.add(object)
    }
    if (Array.isArray(object)) return this.#array(object)
    const kind = this.#kinds.of(object)
    if (kind === KIND.other) return isStorableRegExp(object) ? CHOICE.records : this.#end(CHOICE.cbor)
    return this.#properties(object, kind)
  }

  #array(array: readonly unknown[]): number {
    if (!isPlainArray(array) || hasNamedProperties(array)) return this.#end(CHOICE.cbor)
    let choice = toJsonIn(array)
    for (let i = 0; i < array.length && !this.#isOver; i++) {
      const item = array[i]
      if (item === undefined && !Object.hasOwn(array, i)) return this.#end(CHOICE.cbor)
      choice = Math.max(choice, this.at(item))
    }
    return choice
  }

  #properties(object: object, kind: number): number {
    const keys = Object.keys(object)
    let choice = toJsonIn(object)
    for (let i = 0; i < keys.length && !this.#isOver; i++) {
      choice = Math.max(choice, this.at((object as Record<string, unknown>)[keys[i] as string]))
    }
    const isComplete =
      kind === KIND.plain
        ? Object.getOwnPropertySymbols(object).length === 0
        : hiddenDataOf(object, keys.length) === undefined
    return isComplete ? choice : this.#end(CHOICE.cbor)
  }
}

/** The host may have added `toJSON` to all objects or arrays; `JSON.stringify` would call it. */
function toJsonIn(object: object): number {
  return typeof (object as { toJSON?: unknown }).toJSON === 'function' ? CHOICE.records : CHOICE.json
}
