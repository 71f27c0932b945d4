// xxHash in JavaScript, for small inputs: a process that reads one value would wait longer for WebAssembly to start. Written after
// the specification, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md.

const { imul } = Math

const PRIME32_1 = 0x9e3779b1 | 0
const PRIME32_2 = 0x85ebca77 | 0
const PRIME32_3 = 0xc2b2ae3d | 0
const PRIME32_4 = 0x27d4eb2f
const PRIME32_5 = 0x165667b1

/**
 * A view of the buffer that was hashed last. Creating one takes as long as hashing a key, and keys and records come from few
 * buffers. A view's methods are fast from the first call on, unlike four reads of single bytes.
 */
let latest: DataView = new DataView(new ArrayBuffer(0))
/** Views of larger buffers aren't kept, so that the buffers can be freed. */
const MAX_KEPT_BYTES = 1024 * 1024

function viewOf(buffer: ArrayBufferLike): DataView {
  const view = new DataView(buffer)
  if (buffer.byteLength <= MAX_KEPT_BYTES) latest = view
  return view
}

/** xxh32 of `bytes[start, stop)`, unsigned. */
export function xxh32(bytes: Uint8Array, start: number, stop: number, seed: number): number {
  const { buffer, byteOffset } = bytes
  const words = buffer === latest.buffer ? latest : viewOf(buffer)
  const at = byteOffset + start
  const end = byteOffset + stop
  let next = at
  let hash = (seed + PRIME32_5) | 0
  if (end - at >= 16) {
    let a = (seed + PRIME32_1 + PRIME32_2) | 0
    let b = (seed + PRIME32_2) | 0
    let c = seed | 0
    let d = (seed - PRIME32_1) | 0
    for (const last = end - 16; next <= last; next += 16) {
      a = (a + imul(words.getInt32(next, true), PRIME32_2)) | 0
      a = imul((a << 13) | (a >>> 19), PRIME32_1)
      b = (b + imul(words.getInt32(next + 4, true), PRIME32_2)) | 0
      b = imul((b << 13) | (b >>> 19), PRIME32_1)
      c = (c + imul(words.getInt32(next + 8, true), PRIME32_2)) | 0
      c = imul((c << 13) | (c >>> 19), PRIME32_1)
      d = (d + imul(words.getInt32(next + 12, true), PRIME32_2)) | 0
      d = imul((d << 13) | (d >>> 19), PRIME32_1)
    }
    hash = ((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25)) + ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14))
  }
  hash = (hash + end - at) | 0
  for (; next + 4 <= end; next += 4) {
    hash = (hash + imul(words.getInt32(next, true), PRIME32_3)) | 0
    hash = imul((hash << 17) | (hash >>> 15), PRIME32_4)
  }
  for (; next < end; next++) {
    hash = (hash + imul(words.getUint8(next), PRIME32_5)) | 0
    hash = imul((hash << 11) | (hash >>> 21), PRIME32_1)
  }
  hash = imul(hash ^ (hash >>> 15), PRIME32_2)
  hash = imul(hash ^ (hash >>> 13), PRIME32_3)
  return (hash ^ (hash >>> 16)) >>> 0
}
