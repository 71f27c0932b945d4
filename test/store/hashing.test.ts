import { expect, test } from 'vitest'
import xxhash from 'xxhash-wasm'
import { createHashing, type Held } from '../../src/hashing/hashing.js'

const hashing = createHashing()
const lengths = [0, 1, 15, 16, 31, 32, 1000, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 1_000_000]
const bytes = Buffer.from(Array.from({ length: 1_000_100 }, (_, i) => (i * 31 + (i >> 8)) & 255))

test('hashes are those of the package, whole or in pieces, wherever the bytes lie in their buffer', async () => {
  const reference = await xxhash()
  for (const start of [0, 3]) {
    for (const length of lengths) {
      const part = bytes.subarray(start, start + length)
      expect(hashing.hash32(bytes, start, start + length, 7)).toBe(reference.h32Raw(part, 7))
      const digest = Buffer.alloc(18)
      hashing.digest(bytes, start, start + length, digest, 1)
      expect(digest.readBigUInt64BE(1)).toBe(reference.h64Raw(part, 0n))
      expect(digest.readBigUInt64BE(9)).toBe(reference.h64Raw(part, 1n))
    }
  }
})

test('bytes that are held are where it is said, whatever was held or hashed in between', () => {
  const one = hashing.hold(bytes, 7)
  const two = hashing.hold(bytes.subarray(1), 8)
  const { xxh32 } = one.exports as { xxh32(at: number, length: number, seed: number): number }
  const expectHeld = (held: Held, position: number) => {
    const end = held.reach(position)
    expect(end).toBeGreaterThan(position)
    const hash = hashing.hash32(held.bytes, position, end, held.seed)
    expect(xxh32(held.addressOf(position), end - position, held.seed) >>> 0).toBe(hash)
    expect(held.hash(position, end)).toBe(hash)
  }
  for (const position of [0, 100_000, 300_000, 0, 900_000, 999_999, 300_000]) {
    for (const held of [one, two, one]) expectHeld(held, position)
  }
  expect(one.reach(0)).toBeGreaterThan(100_000)
  // Nothing here uses the spare memory.
  one.spare.fill(0xffffffff)
  expectHeld(two, 5)
  expect(hashing.hash32(bytes, 0, 500_000, 1)).toBe(createHashing().hash32(bytes, 0, 500_000, 1))
  expect(one.spare.every(each => each === 0xffffffff)).toBe(true)
})
