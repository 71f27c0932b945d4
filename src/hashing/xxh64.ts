// xxHash of 64 bits in JavaScript, for a few small values. Written after the specification,
// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md.

const PRIME64_1 = 0x9e3779b185ebca87n
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn
const PRIME64_3 = 0x165667b19e3779f9n
const PRIME64_4 = 0x85ebca77c2b2ae63n
const PRIME64_5 = 0x27d4eb2f165667c5n

const u64 = (value: bigint) => BigInt.asUintN(64, value)
const rotate = (value: bigint, by: bigint) => u64(value << by) | (value >> (64n - by))
const round = (lane: bigint, input: bigint) => u64(rotate(u64(lane + input * PRIME64_2), 31n) * PRIME64_1)
const merge = (hash: bigint, lane: bigint) => u64((hash ^ round(0n, lane)) * PRIME64_1 + PRIME64_4)

/** xxh64 of `bytes[at, end)`, unsigned. Slow: some 20 µs for a KB. */
export function xxh64(bytes: Uint8Array, at: number, end: number, seed: bigint): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, end)
  let next = at
  let hash = u64(seed + PRIME64_5)
  if (end - at >= 32) {
    const lanes = [u64(seed + PRIME64_1 + PRIME64_2), u64(seed + PRIME64_2), seed, u64(seed - PRIME64_1)]
    for (; next + 32 <= end; next += 32) {
      for (let lane = 0; lane < 4; lane++) {
        lanes[lane] = round(lanes[lane] as bigint, view.getBigUint64(next + 8 * lane, true))
      }
    }
    const [a, b, c, d] = lanes as [bigint, bigint, bigint, bigint]
    hash = u64(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n))
    for (const lane of lanes) hash = merge(hash, lane)
  }
  hash = u64(hash + BigInt(end - at))
  for (; next + 8 <= end; next += 8) {
    hash = u64(rotate(hash ^ round(0n, view.getBigUint64(next, true)), 27n) * PRIME64_1 + PRIME64_4)
  }
  if (next + 4 <= end) {
    hash = u64(rotate(hash ^ u64(BigInt(view.getUint32(next, true)) * PRIME64_1), 23n) * PRIME64_2 + PRIME64_3)
    next += 4
  }
  for (; next < end; next++) {
    hash = u64(rotate(hash ^ u64(BigInt(bytes[next] as number) * PRIME64_5), 11n) * PRIME64_1)
  }
  hash = u64((hash ^ (hash >> 33n)) * PRIME64_2)
  hash = u64((hash ^ (hash >> 29n)) * PRIME64_3)
  return hash ^ (hash >> 32n)
}
