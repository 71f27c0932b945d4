import { expect, test } from 'vitest'
import xxhash from 'xxhash-wasm'
import { createHashing } from '../../src/hashing/hashing.js'

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
