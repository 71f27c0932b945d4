// The only importer of xxhash-wasm: its WebAssembly binary, compiled synchronously, because a plugin that is loaded with
// `require` cannot wait for the package's own asynchronous start.

import binary from '#xxhash.wasm'

interface Exports {
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

/** Hashes of `bytes[start, end)`. */
export interface XxHash {
  /** Unsigned. */
  xxh32(bytes: Uint8Array, start: number, end: number, seed: number): number
  /** xxh64 under seeds 0 and 1, signed. */
  xxh64Twice(bytes: Uint8Array, start: number, end: number): readonly [bigint, bigint]
}

/** Longer inputs are hashed piece by piece: WebAssembly memory never shrinks again. */
const PIECE_BYTES = 256 * 1024
/** Room for the larger of the two states, which precedes the piece; `init` expects zeros. */
const STATE_BYTES = 88
const MEMORY_BYTES = STATE_BYTES + PIECE_BYTES

/** Undefined where this process has no WebAssembly, as with `--jitless`. */
export function startWasm(): XxHash | undefined {
  if (typeof WebAssembly === 'undefined') return undefined
  const wasm = new WebAssembly.Instance(new WebAssembly.Module(binary)).exports as unknown as Exports
  wasm.mem.grow(Math.ceil((MEMORY_BYTES - wasm.mem.buffer.byteLength) / 65536))
  const memory = new Uint8Array(wasm.mem.buffer)

  /** The same as `subarray`, which a Buffer has written in JavaScript. */
  const partOf = ({ buffer, byteOffset }: Uint8Array, start: number, end: number) =>
    new Uint8Array(buffer, byteOffset + start, end - start)
  const inPieces = (bytes: Uint8Array, start: number, end: number, update: (at: number, length: number) => void) => {
    for (let from = start; from < end; from += PIECE_BYTES) {
      const piece = partOf(bytes, from, Math.min(end, from + PIECE_BYTES))
      memory.set(piece, STATE_BYTES)
      update(STATE_BYTES, piece.length)
    }
  }
  const longXxh64 = (bytes: Uint8Array, start: number, end: number, seed: bigint): bigint => {
    memory.fill(0, 0, STATE_BYTES)
    wasm.init64(0, seed)
    inPieces(bytes, start, end, (at, length) => wasm.update64(0, at, length))
    return wasm.digest64(0)
  }
  return {
    xxh32(bytes, start, end, seed) {
      const length = end - start
      if (length <= PIECE_BYTES) {
        memory.set(partOf(bytes, start, end))
        return wasm.xxh32(0, length, seed) >>> 0
      }
      memory.fill(0, 0, STATE_BYTES)
      wasm.init32(0, seed)
      inPieces(bytes, start, end, (at, piece) => wasm.update32(0, at, piece))
      return wasm.digest32(0) >>> 0
    },
    xxh64Twice(bytes, start, end) {
      const length = end - start
      if (length > PIECE_BYTES) return [longXxh64(bytes, start, end, 0n), longXxh64(bytes, start, end, 1n)]
      memory.set(partOf(bytes, start, end))
      return [wasm.xxh64(0, length, 0n), wasm.xxh64(0, length, 1n)]
    },
  }
}
