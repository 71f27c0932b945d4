/** Keeps the largest few of many items, in a binary heap that never holds more. */
export class Largest<T> {
  /** The heap, smallest first. */
  readonly #heap: { size: number; item: T }[] = []
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The number of items. */
  get count(): number {
    return this.#heap.length
  }

  /** Adds an item. Among equal sizes, the first ones stay. Items without a size (NaN) are the smallest. */
  add(given: number, item: T): void {
    const heap = this.#heap
    const size = Number.isNaN(given) ? Number.NEGATIVE_INFINITY : given
    if (heap.length < this.#limit) {
      heap.push({ size, item })
      this.#rise(heap.length - 1)
    } else if (size > (heap[0]?.size ?? Number.POSITIVE_INFINITY)) {
      heap[0] = { size, item }
      this.#sink()
    }
  }

  /** The items, largest first. */
  sorted(): T[] {
    return this.#heap.toSorted((a, b) => b.size - a.size || 0).map(({ item }) => item)
  }

  #sizeAt(index: number): number {
    return this.#heap[index]?.size ?? Number.POSITIVE_INFINITY
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap
    const [one, other] = [heap[a], heap[b]]
    if (one && other) [heap[a], heap[b]] = [other, one]
  }

  #rise(start: number): void {
    for (let index = start; index > 0; ) {
      const parent = (index - 1) >> 1
      if (this.#sizeAt(parent) <= this.#sizeAt(index)) return
      this.#swap(parent, index)
      index = parent
    }
  }

  #sink(): void {
    for (let index = 0; ; ) {
      const left = 2 * index + 1
      const child = this.#sizeAt(left + 1) < this.#sizeAt(left) ? left + 1 : left
      if (this.#sizeAt(index) <= this.#sizeAt(child)) return
      this.#swap(index, child)
      index = child
    }
  }
}
