/** A key list, reached by going from each key to the next. */
export class KeyList {
  /** -1 until a record with exactly these keys was written. */
  id = -1
  /** For each key, the column of its integers. */
  columns: readonly number[] = []
  /** Whether later records mark which values equal the last record's. */
  isMasked = false
  /** The values of the last record. */
  readonly lasts: unknown[] = []
  /** The prototype of the last record, if it was a class instance. */
  prototype: object | undefined
  readonly #key: string
  /** The key that followed last time; it mostly follows again. */
  #next: KeyList | undefined
  #others: Map<string, KeyList> | undefined

  constructor(key: string) {
    this.#key = key
  }

  /** The list with one more key appended. */
  with(key: string): KeyList {
    const next = this.#next
    if (next === undefined) {
      this.#next = new KeyList(key)
      return this.#next
    }
    return next.#key === key ? next : this.#other(key)
  }

  #other(key: string): KeyList {
    this.#others ??= new Map()
    let list = this.#others.get(key)
    if (!list) {
      list = new KeyList(key)
      this.#others.set(key, list)
    }
    return list
  }
}
