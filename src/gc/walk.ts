// Walks through all namespaces bucket by bucket, from where the last step ended.

import type { CollectedNamespace, Namespaces } from './input.js'

/** One past the highest hash. */
export const HASH_END = 2 ** 32

/** The next bucket: in this directory, or the first one of the next directory after it. */
export interface Cursor {
  directory: string
  hash: number
}

export class Walk {
  readonly #namespaces: Namespaces
  #key = ''
  #directories: string[] = []
  #open: CollectedNamespace | undefined

  constructor(namespaces: Namespaces) {
    this.#namespaces = namespaces
  }

  /**
   * Works on the bucket at the cursor and returns the next cursor; undefined at the end. `work` returns the hash after the
   * bucket. The directories are listed once for each `key`.
   */
  next(key: string, cursor: Cursor, work: (namespace: CollectedNamespace, hash: number) => number): Cursor | undefined {
    if (this.#key !== key) {
      this.#key = key
      this.#directories = this.#namespaces.directories()
    }
    const directory = this.#directories[this.#indexOf(cursor.directory)]
    if (directory === undefined) return undefined
    if (this.#open?.directory !== directory) {
      this.close()
      this.#open = this.#namespaces.open(directory)
    }
    const hash = this.#open ? work(this.#open, directory === cursor.directory ? cursor.hash : 0) : HASH_END
    if (hash < HASH_END) return { directory, hash }
    this.close()
    // A space sorts before all characters of a directory's name.
    return { directory: `${directory} `, hash: 0 }
  }

  /** The share of the directories that is done. */
  fraction({ directory, hash }: Cursor): number {
    const count = this.#directories.length
    return count === 0 ? 0 : Math.min(1, (this.#indexOf(directory) + hash / HASH_END) / count)
  }

  /** Closes open files. Call this before the process uses the cache otherwise. */
  close(): void {
    this.#open?.close()
    this.#open = undefined
  }

  #indexOf(directory: string): number {
    let low = 0
    for (let high = this.#directories.length; low < high; ) {
      const middle = (low + high) >>> 1
      if ((this.#directories[middle] as string) < directory) low = middle + 1
      else high = middle
    }
    return low
  }
}
