// SHA-256 (FIPS 180-4) in JavaScript, for a few short inputs such as the files that a question declares.

const BLOCK_BYTES = 64
const LENGTH_BYTES = 8

const ROUND_CONSTANTS = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
])
const FIRST_STATE = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]

export function sha256(content: Uint8Array): Buffer {
  const view = padded(content)
  const state = new Int32Array(FIRST_STATE)
  const words = new Int32Array(ROUND_CONSTANTS.length)
  for (let at = 0; at < view.byteLength; at += BLOCK_BYTES) addBlock(state, words, view, at)
  const digest = Buffer.allocUnsafe(4 * state.length)
  for (let i = 0; i < state.length; i++) digest.writeInt32BE(state[i] as number, 4 * i)
  return digest
}

/** The content, a bit, zeros, and the content's length in bits: whole blocks. */
function padded(content: Uint8Array): DataView {
  const length = Math.ceil((content.length + 1 + LENGTH_BYTES) / BLOCK_BYTES) * BLOCK_BYTES
  const bytes = new Uint8Array(length)
  bytes.set(content)
  bytes[content.length] = 0x80
  const view = new DataView(bytes.buffer)
  view.setBigUint64(length - LENGTH_BYTES, 8n * BigInt(content.length))
  return view
}

function addBlock(state: Int32Array, words: Int32Array, view: DataView, from: number): void {
  for (let i = 0; i < 16; i++) words[i] = view.getInt32(from + 4 * i)
  for (let i = 16; i < words.length; i++) {
    const early = words[i - 15] as number
    const late = words[i - 2] as number
    const first = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3)
    const second = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10)
    words[i] = (words[i - 16] as number) + first + (words[i - 7] as number) + second
  }
  let [a, b, c, d, e, f, g, h] = state as Iterable<number> as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  for (let i = 0; i < words.length; i++) {
    const choice = (e & f) ^ (~e & g)
    const majority = (a & b) ^ (a & c) ^ (b & c)
    const step = (ROUND_CONSTANTS[i] as number) + (words[i] as number)
    const first = (h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + choice + step) | 0
    const second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  const added = [a, b, c, d, e, f, g, h]
  for (let i = 0; i < state.length; i++) state[i] = (state[i] as number) + (added[i] as number)
}

function rotated(word: number, count: number): number {
  return (word >>> count) | (word << (32 - count))
}
