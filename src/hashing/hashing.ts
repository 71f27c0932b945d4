// Checksums and digests. Small inputs are hashed in JavaScript; WebAssembly, which takes a millisecond to start, is started for
// the first large input or once many small ones were hashed. Without WebAssembly all is JavaScript, with the same results.
//
// xxHash (https://github.com/Cyan4973/xxHash) is fast and not cryptographic: anyone can construct different bytes with equal
// hashes. Code that finds bytes by such a digest must compare the bytes as well. If there is nothing to compare with, as for a
// source that another process has read, the content digest is SHA-256.

import { sha256 } from './sha256.js'
import { startWasm, type XxHash } from './wasm.js'
import { xxh32 } from './xxh32.js'
import { xxh64 } from './xxh64.js'

/** Hash functions. Results are unsigned 32-bit integers unless said otherwise. */
export interface Hashing {
  /** xxh32 of `bytes[start, end)`. */
  hash32(bytes: Uint8Array, start: number, end: number, seed: number): number
  /** Writes 128 bits, xxh64 under seeds 0 and 1, each big-endian, to `into[at, at + 16)`. */
  digest(bytes: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void
  /** The first 16 bytes of the SHA-256 of a source's content. */
  contentDigest(content: Uint8Array): Buffer
}

export const CONTENT_DIGEST_BYTES = 16

/** Up to about this length, a checksum in JavaScript is as fast as in WebAssembly, which has to copy the bytes. */
const SMALL_BYTES = 512
/** Hashing this many bytes in JavaScript, before V8 has compiled it, takes as long as starting WebAssembly. */
const MAX_COLD_CHECKED_BYTES = 16 * 1024
const MAX_COLD_DIGESTED_BYTES = 2 * 1024
/** This many blocks of SHA-256 take a quarter of the time of loading node:crypto. */
const MAX_COLD_CONTENT_BYTES = 1024

let shared: Hashing | undefined

/** The hash functions, shared by all caches of the process. */
export function sharedHashing(): Hashing {
  shared ??= createHashing()
  return shared
}

export function createHashing(start = startWasm): Hashing {
  let wasm: XxHash | undefined
  let isStarted = false
  let checkedBytes = 0
  let digestedBytes = 0
  let contentBytes = 0
  const ensureWasm = () => {
    if (!isStarted) {
      isStarted = true
      wasm = start()
    }
    return wasm
  }
  const halves = new DataView(new ArrayBuffer(16))
  const digested = new Uint8Array(halves.buffer)

  return {
    hash32(bytes, start, end, seed) {
      if (end - start <= SMALL_BYTES) return xxh32(bytes, start, end, seed)
      checkedBytes += end - start
      const quick = checkedBytes > MAX_COLD_CHECKED_BYTES ? ensureWasm() : wasm
      return quick ? quick.xxh32(bytes, start, end, seed) : xxh32(bytes, start, end, seed)
    },
    digest(bytes, start, end, into, at) {
      digestedBytes += end - start + 32
      const quick = digestedBytes > MAX_COLD_DIGESTED_BYTES ? ensureWasm() : wasm
      if (quick) {
        const [first, second] = quick.xxh64Twice(bytes, start, end)
        halves.setBigInt64(0, first)
        halves.setBigInt64(8, second)
      } else {
        halves.setBigUint64(0, xxh64(bytes, start, end, 0n))
        halves.setBigUint64(8, xxh64(bytes, start, end, 1n))
      }
      into.set(digested, at)
    },
    contentDigest(content) {
      contentBytes += content.length + 64
      if (contentBytes <= MAX_COLD_CONTENT_BYTES) return sha256(content).subarray(0, CONTENT_DIGEST_BYTES)
      // Loading node:crypto takes 4 ms: most processes find every source unchanged by its stat and never need it.
      const { hash } = process.getBuiltinModule('node:crypto')
      return hash('sha256', content, 'buffer').subarray(0, CONTENT_DIGEST_BYTES)
    },
  }
}
