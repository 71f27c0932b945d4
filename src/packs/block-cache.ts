// The latest used blocks of pack files, so that reading many small blobs that lie side by side costs one system call a
// block and not one a blob. What is in a pack never changes, so a block can only be outdated by being too short.

const BLOCK_BYTES = 16 * 1024
const MAX_BLOCKS = 256

interface Block {
  bytes: Buffer
  /** Bytes of it that the file had when it was read. */
  length: number
}

export class BlockCache {
  /** By pack and block number, the longest read first. */
  readonly #blocks = new Map<number, Block>()

  /**
   * `length` bytes of the pack from the offset on, a view that must not be written to; undefined when they span two
   * blocks or are not there. `read` fills a buffer from a position on and returns the bytes read.
   */
  view(
    pack: number,
    offset: number,
    length: number,
    read: (into: Buffer, length: number, position: number) => number,
  ): Buffer | undefined {
    const number = Math.floor(offset / BLOCK_BYTES)
    const start = offset - number * BLOCK_BYTES
    const end = start + length
    if (end > BLOCK_BYTES) return undefined
    const name = pack * 0x100000 + number
    let block = this.#blocks.get(name)
    if (!block || block.length < end) {
      block ??= this.#add(name)
      block.length = read(block.bytes, BLOCK_BYTES, number * BLOCK_BYTES)
      if (block.length < end) return undefined
    }
    return block.bytes.subarray(start, end)
  }

  clear(): void {
    this.#blocks.clear()
  }

  #add(name: number): Block {
    let bytes: Buffer | undefined
    if (this.#blocks.size >= MAX_BLOCKS) {
      const [oldest, block] = this.#blocks.entries().next().value as [number, Block]
      this.#blocks.delete(oldest)
      bytes = block.bytes
    }
    const block = { bytes: bytes ?? Buffer.allocUnsafeSlow(BLOCK_BYTES), length: 0 }
    this.#blocks.set(name, block)
    return block
  }
}
