// The buckets of a map that are in memory, by hash, and how much memory their files take.

import type { Bucket } from './bucket.js'
import { digitAt } from './directory.js'

/** Buckets by hash: a level of the tree for each digit. */
type Node = Bucket | Node[] | undefined

/** How many bytes of files one map keeps in memory. */
const RESIDENT_BYTES = 16 * 1024 * 1024

export class BucketTree {
  #root: Node
  /** Loaded buckets, the longest loaded first. */
  readonly #resident = new Set<Bucket>()
  #residentBytes = 0

  at(hash: number): Bucket | undefined {
    let node = this.#root
    for (let depth = 0; Array.isArray(node); depth++) node = node[digitAt(hash, depth)]
    return node
  }

  remove(bucket: Bucket): void {
    bucket.file.close()
    this.#resident.delete(bucket)
    this.#residentBytes -= bucket.accountedBytes
    bucket.accountedBytes = 0
    this.place(bucket.name.prefix, undefined)
  }

  place(prefix: string, node: Node): void {
    if (prefix === '') {
      this.#root = node
      return
    }
    if (!Array.isArray(this.#root)) this.#root = []
    let level = this.#root
    for (const digit of prefix.slice(0, -1)) {
      const at = Number(digit)
      const below = level[at]
      const next: Node[] = Array.isArray(below) ? below : []
      level[at] = next
      level = next
    }
    level[Number(prefix.at(-1))] = node
  }

  /** Limits the memory of loaded files: frees those that were loaded first. */
  account(bucket: Bucket): void {
    const { residentBytes } = bucket
    if (residentBytes === bucket.accountedBytes) return
    this.#residentBytes += residentBytes - bucket.accountedBytes
    bucket.accountedBytes = residentBytes
    this.#resident.add(bucket)
    for (const oldest of this.#resident) {
      if (this.#residentBytes <= RESIDENT_BYTES) return
      oldest.evict()
      this.#residentBytes -= oldest.accountedBytes
      oldest.accountedBytes = 0
      this.#resident.delete(oldest)
    }
  }

  close(): void {
    const walk = (node: Node) => {
      if (Array.isArray(node)) node.forEach(walk)
      else node?.file.close()
    }
    walk(this.#root)
    this.#root = undefined
    this.#resident.clear()
    this.#residentBytes = 0
  }
}
