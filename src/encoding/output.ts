// The buffer that values are written into.

const FIRST_BYTES = 8 * 1024
/** Buffers larger than this aren't kept for the next value. */
const KEPT_BYTES = 1024 * 1024
/** The reserve behind `limit`. Every item except text and byte strings fits in it. */
const ITEM_BYTES = 32

/** Kept between encodes. Undefined during one, because an accessor may start another. */
let spare: Buffer | undefined

/** The value doesn't fit in one buffer. */
export class TooLarge extends Error {}

/** Whether the error means that, or that a string would get too long. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof TooLarge || (error instanceof RangeError && /string length/i.test(error.message))
}

export class Output {
  bytes: Buffer
  position = 0
  /** Below this position there is room for another item. */
  limit: number

  constructor() {
    this.bytes = spare ?? Buffer.from(new ArrayBuffer(FIRST_BYTES))
    this.limit = this.bytes.length - ITEM_BYTES
    spare = undefined
  }

  /** Makes room for `size` bytes and another item. @throws TooLarge */
  grow(byteCount: number): void {
    const needed = this.position + byteCount + ITEM_BYTES
    if (needed <= this.bytes.length) return
    let larger: Buffer
    try {
      larger = Buffer.from(new ArrayBuffer(Math.max(needed, 2 * this.bytes.length)))
    } catch (cause) {
      throw new TooLarge(`${needed} bytes`, { cause })
    }
    this.bytes.copy(larger, 0, 0, this.position)
    this.bytes = larger
    this.limit = larger.length - ITEM_BYTES
  }

  writeText(text: string): void {
    this.grow(3 * text.length)
    this.position += this.bytes.write(text, this.position)
  }

  /** The bytes, as a view that the next encode overwrites. */
  written(): Buffer {
    return this.bytes.subarray(0, this.position)
  }

  release(): void {
    if (this.bytes.length <= KEPT_BYTES) spare = this.bytes
  }
}
