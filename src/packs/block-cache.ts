// Caches recently used blocks of pack files, so that reading many small neighbouring blobs takes one system call for each
// block. Packs only grow, so a cached block can be too short but never wrong.

import type { PooledFile } from '../files/descriptors.js'
import { viewOf } from '../log/frames.js'

export const BLOCK_BYTES = 16 * 1024
const MAX_BLOCKS = 256

/** Bytes that must not be written to. */
export interface Viewed {
  readonly bytes: Buffer
  readonly view: DataView
}

interface Block extends Viewed {
  /** How many bytes of the block the file had when it was read. */
  length: number
}

export class BlockCache {
  /** By pack and block number, the longest read first. */
  readonly #blocks = new Map<number, Block>()

  /** Returns the block that contains these bytes of the pack; undefined if they span two blocks or don't exist. */
  find(file: PooledFile, pack: number, offset: number, length: number): Viewed | undefined {
    const number = Math.floor(offset / BLOCK_BYTES)
    const end = (offset % BLOCK_BYTES) + length
    if (end > BLOCK_BYTES) return undefined
    const name = pack * 0x100000 + number
    let block = this.#blocks.get(name)
    if (!block || block.length < end) {
      block ??= this.#add(name)
      block.length = file.read(block.bytes, 0, BLOCK_BYTES, number * BLOCK_BYTES)
      if (block.length < end) return undefined
    }
    return block
  }

  clear(): void {
    this.#blocks.clear()
  }

  #add(name: number): Block {
    let reused: Viewed | undefined
    if (this.#blocks.size >= MAX_BLOCKS) {
      const [oldest, block] = this.#blocks.entries().next().value as [number, Block]
      this.#blocks.delete(oldest)
      reused = block
    }
    const bytes = reused?.bytes ?? Buffer.allocUnsafeSlow(BLOCK_BYTES)
    const block = { bytes, view: reused?.view ?? viewOf(bytes), length: 0 }
    this.#blocks.set(name, block)
    return block
  }
}
