import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import xxhash from 'xxhash-wasm'
import { createHashing } from '../../src/hashing/hashing.js'
import { sha256 } from '../../src/hashing/sha256.js'
import { startWasm } from '../../src/hashing/wasm.js'

const lengths = [...Array(70).keys(), 511, 512, 513, 1000, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 1_000_000]
const bytes = Buffer.from(Array.from({ length: 1_000_100 }, (_, i) => (i * 31 + (i >> 8)) & 255))

describe.each([
  ['WebAssembly', startWasm],
  ['no WebAssembly', () => undefined],
])('with %s', (_what, start) => {
  test('hashes equal those of the xxhash package, at any offset in a buffer', async () => {
    const reference = await xxhash()
    for (const from of [0, 3]) {
      for (const length of lengths) {
        // One that has hashed nothing yet starts no WebAssembly for a small input, one that has hashed much does.
        const hashing = createHashing(start)
        const part = bytes.subarray(from, from + length)
        for (const seed of [7, 0xfffffff0, -8]) {
          expect(hashing.hash32(bytes, from, from + length, seed)).toBe(reference.h32Raw(part, seed))
        }
        // 128 KB a second.
        if (length > 10_000 && !start()) continue
        const digest = Buffer.alloc(18)
        hashing.digest(bytes, from, from + length, digest, 1)
        expect(digest.readBigUInt64BE(1)).toBe(reference.h64Raw(part, 0n))
        expect(digest.readBigUInt64BE(9)).toBe(reference.h64Raw(part, 1n))
      }
    }
  })
})

test('content digests are truncated SHA-256, for any length and offset', () => {
  const hashing = createHashing()
  for (const from of [0, 3]) {
    for (const length of lengths) {
      const part = bytes.subarray(from, from + length)
      const expected = hash('sha256', part, 'buffer')
      expect(hashing.contentDigest(part)).toEqual(expected.subarray(0, 16))
      if (length <= 1000) {
        // One that has digested nothing yet does so without node:crypto.
        expect(createHashing().contentDigest(part)).toEqual(expected.subarray(0, 16))
        expect(sha256(part)).toEqual(expected)
      }
    }
  }
})

test('WebAssembly is started for large or many inputs, not for a single small one', () => {
  let starts = 0
  const count = () => {
    starts++
    return startWasm()
  }
  const digest = Buffer.alloc(16)
  const small = createHashing(count)
  small.hash32(bytes, 0, 100, 1)
  small.digest(bytes, 0, 100, digest, 0)
  expect(starts).toBe(0)
  for (let i = 0; i < 100; i++) small.digest(bytes, i, i + 100, digest, 0)
  expect(starts).toBe(1)
  createHashing(count).hash32(bytes, 0, 100_000, 1)
  expect(starts).toBe(2)
  createHashing(count).digest(bytes, 0, 100_000, digest, 0)
  expect(starts).toBe(3)
})
