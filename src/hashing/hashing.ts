// The only importer of xxhash-wasm: its WebAssembly binary, compiled synchronously, because a plugin that is loaded with
// `require` cannot wait for the package's own asynchronous start. The build adds to it what works on the same memory.
//
// xxHash (https://github.com/Cyan4973/xxHash) is fast and not cryptographic: equal hashes of different bytes can be made
// at will. Whoever relies on a digest to find bytes must compare the bytes as well. Where there is nothing to compare
// with, as with a source that was read in another process, the content digest is SHA-256.

import wasm from '#xxhash.wasm'

/** Bytes that stay as they are meanwhile, as many as there is room for at a time in the memory of the WebAssembly. */
export interface Held {
  readonly bytes: Uint8Array
  readonly seed: number
  /** xxh32 of `bytes[start, end)` under the seed. */
  hash(start: number, end: number): number
  /** Has the bytes from this position on in memory, up to the position that is returned. */
  reach(position: number): number
  /** Of a position that is in memory. */
  addressOf(position: number): number
  /** Of the WebAssembly, for whoever has functions of his own in it, */
  readonly exports: unknown
  /** and memory of it that nothing here uses. */
  readonly spare: Uint32Array<ArrayBuffer>
}

/** Values are unsigned 32-bit integers where not said otherwise. */
export interface Hashing {
  /** xxh32 of `bytes[start, end)`. */
  hash32(bytes: Uint8Array, start: number, end: number, seed: number): number
  /** For the same of many parts of bytes, or to have others work on these. */
  hold(bytes: Uint8Array, seed: number): Held
  /** Writes 128 bits, xxh64 under seeds 0 and 1, each big-endian, to `into[at, at + 16)`. */
  digest(bytes: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void
  /** The first 16 bytes of the SHA-256 of a source's content. */
  contentDigest(content: Uint8Array): Buffer
}

export const CONTENT_DIGEST_BYTES = 16

interface XxHash {
  mem: WebAssembly.Memory
  xxh32(at: number, length: number, seed: number): number
  xxh64(at: number, length: number, seed: bigint): bigint
  init64(state: number, seed: bigint): void
  update64(state: number, at: number, length: number): void
  digest64(state: number): bigint
  init32(state: number, seed: number): void
  update32(state: number, at: number, length: number): void
  digest32(state: number): number
}

/** Longer inputs are hashed piece by piece: WebAssembly memory never shrinks again. */
const PIECE_BYTES = 256 * 1024
/** Room for the larger of the two states, which precedes the piece; `init` takes it to be zero. */
const STATE_BYTES = 88
/** Where the bytes are that are held, as many as a piece. */
const HELD_AT = STATE_BYTES + PIECE_BYTES
const SPARE_AT = HELD_AT + PIECE_BYTES
const SPARE_BYTES = 256 * 1024
const MEMORY_BYTES = SPARE_AT + SPARE_BYTES

/** The same as `subarray`, which a Buffer has written in JavaScript. */
function partOf({ buffer, byteOffset }: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + start, end - start)
}

let shared: Hashing | undefined

/** One for all caches of the process. */
export function sharedHashing(): Hashing {
  shared ??= createOrFail()
  return shared
}

/** Where there is no WebAssembly (`--jitless`), opening a cache must not fail: what hashes does. */
function createOrFail(): Hashing {
  try {
    return createHashing()
  } catch (error) {
    const fail = () => {
      throw error
    }
    return { hash32: fail, hold: fail, digest: fail, contentDigest: fail }
  }
}

export function createHashing(): Hashing {
  const xxh = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports as unknown as XxHash
  xxh.mem.grow(Math.ceil((MEMORY_BYTES - xxh.mem.buffer.byteLength) / 65536))
  const memory = new Uint8Array(xxh.mem.buffer)
  const spare = new Uint32Array(xxh.mem.buffer, SPARE_AT, SPARE_BYTES / 4)
  /** Whose bytes are at `HELD_AT`. */
  let holder: Held | undefined

  const inPieces = (bytes: Uint8Array, start: number, end: number, update: (at: number, length: number) => void) => {
    for (let from = start; from < end; from += PIECE_BYTES) {
      const piece = partOf(bytes, from, Math.min(end, from + PIECE_BYTES))
      memory.set(piece, STATE_BYTES)
      update(STATE_BYTES, piece.length)
    }
  }
  /** As a signed integer; of bytes that are longer than a piece. */
  const hash64InPieces = (bytes: Uint8Array, start: number, end: number, seed: bigint): bigint => {
    memory.fill(0, 0, STATE_BYTES)
    xxh.init64(0, seed)
    inPieces(bytes, start, end, (at, length) => xxh.update64(0, at, length))
    return xxh.digest64(0)
  }
  const halves = new DataView(new ArrayBuffer(16))
  const digested = new Uint8Array(halves.buffer)

  const hash32 = (bytes: Uint8Array, start: number, end: number, seed: number): number => {
    if (end - start <= PIECE_BYTES) {
      memory.set(partOf(bytes, start, end))
      return xxh.xxh32(0, end - start, seed) >>> 0
    }
    memory.fill(0, 0, STATE_BYTES)
    xxh.init32(0, seed)
    inPieces(bytes, start, end, (at, length) => xxh.update32(0, at, length))
    return xxh.digest32(0) >>> 0
  }

  return {
    hash32,
    hold(bytes, seed) {
      let [from, to] = [0, 0]
      const fetch = (position: number) => {
        holder = held
        from = position
        to = Math.min(from + PIECE_BYTES, bytes.length)
        memory.set(partOf(bytes, from, to), HELD_AT)
      }
      const held: Held = {
        bytes,
        seed,
        hash(start, end) {
          if (holder !== held || start < from || end > to) {
            if (end - start > PIECE_BYTES) return hash32(bytes, start, end, seed)
            fetch(start)
          }
          return xxh.xxh32(HELD_AT + start - from, end - start, seed) >>> 0
        },
        reach(position) {
          if (holder !== held || position < from || position >= to) fetch(position)
          return to
        },
        addressOf: position => HELD_AT + position - from,
        exports: xxh,
        spare,
      }
      return held
    },
    digest(bytes, start, end, into, at) {
      const length = end - start
      const isWhole = length <= PIECE_BYTES
      if (isWhole) memory.set(partOf(bytes, start, end))
      halves.setBigInt64(0, isWhole ? xxh.xxh64(0, length, 0n) : hash64InPieces(bytes, start, end, 0n))
      halves.setBigInt64(8, isWhole ? xxh.xxh64(0, length, 1n) : hash64InPieces(bytes, start, end, 1n))
      into.set(digested, at)
    },
    contentDigest(content) {
      // Loading node:crypto takes 4 ms: most processes find every source unchanged by its stat and never need it.
      const { hash } = process.getBuiltinModule('node:crypto')
      return hash('sha256', content, 'buffer').subarray(0, CONTENT_DIGEST_BYTES)
    },
  }
}
