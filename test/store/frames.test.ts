import { describe, expect, test } from 'vitest'
import { FRAME, FRAME_HEADER_BYTES, FRAME_MAGIC } from '../../src/base/layout.js'
import { createHashing, type Hashing } from '../../src/hashing/hashing.js'
import { FrameWriter, scanFrames } from '../../src/log/frames.js'

const hashing = createHashing()
const SEED = 42
const TYPES = Object.values(FRAME)

/** One frame of each type, with payloads of different lengths, the second one looking like a frame itself. */
function sample(seed = SEED): { bytes: Buffer; ends: number[] } {
  const inner = new FrameWriter().begin(FRAME.put).put(Buffer.from('inner')).end()
  inner.check(hashing, seed + 1)
  const writer = new FrameWriter()
  const ends = TYPES.map((type, index) => {
    const payload = index === 1 ? inner.bytes.subarray(0, inner.length) : Buffer.alloc(index * 3, index)
    return writer.begin(type).put(payload).end().length
  })
  writer.check(hashing, seed)
  return { bytes: Buffer.from(writer.bytes.subarray(0, writer.length)), ends }
}

function scan(bytes: Buffer, seed = SEED) {
  const types: number[] = []
  const damage: unknown[] = []
  const result = scanFrames(hashing, bytes, seed, {
    frame: type => types.push(type),
    damage: (_bytes, start, end, kind) => damage.push(kind, start, end),
  })
  return { types, damage, ...result }
}

test('frames come back in order with their payloads', () => {
  const { bytes } = sample()
  const payloads: Buffer[] = []
  const offsets: number[] = []
  scanFrames(
    hashing,
    bytes,
    SEED,
    {
      frame(_type, buffer, start, end, offset) {
        payloads.push(buffer.subarray(start, end))
        offsets.push(offset)
      },
    },
    { base: 1000 },
  )
  expect(scan(bytes)).toEqual({ types: TYPES, damage: [], end: bytes.length, tornBytes: 0 })
  expect(payloads[4]).toEqual(Buffer.alloc(12, 4))
  expect(offsets).toEqual([0, ...sample().ends.slice(0, -1)].map(offset => 1000 + offset))
})

test('no frame is valid under the seed of another file', () => {
  const { bytes } = sample()
  expect(scan(bytes, SEED + 5)).toMatchObject({ types: [], damage: ['lost', 0, bytes.length] })
})

describe('a file that is cut', () => {
  test('at any byte keeps every frame before the cut, and leaves the rest for its writer to finish', () => {
    const { bytes, ends } = sample()
    for (let length = 0; length <= bytes.length; length++) {
      const whole = ends.filter(end => end <= length)
      expect(scan(bytes.subarray(0, length)), `cut at ${length}`).toEqual({
        types: TYPES.slice(0, whole.length),
        damage: [],
        end: whole.at(-1) ?? 0,
        tornBytes: 0,
      })
    }
  })

  test('at any byte of a frame loses that frame alone once others follow', () => {
    const { bytes } = sample()
    const victim = new FrameWriter().begin(FRAME.put).put(Buffer.alloc(40, 7)).end()
    victim.check(hashing, SEED)
    for (let length = 1; length < victim.length; length++) {
      const torn = Buffer.concat([bytes, victim.bytes.subarray(0, length), bytes])
      expect(scan(torn), `torn after ${length}`).toEqual({
        types: [...TYPES, ...TYPES],
        damage: ['torn', bytes.length, bytes.length + length],
        end: torn.length,
        tornBytes: length,
      })
    }
  })
})

test('the beginnings that several killed writers left in a row are no damage', () => {
  const { bytes, ends } = sample()
  const first = bytes.subarray(ends[0] as number, (ends[0] as number) + 20)
  const second = bytes.subarray(ends[3] as number, (ends[3] as number) + 5)
  const torn = Buffer.concat([bytes, first, first, second, bytes])
  expect(scan(torn)).toMatchObject({
    types: [...TYPES, ...TYPES],
    damage: ['torn', bytes.length, bytes.length + 45],
    tornBytes: 45,
  })
})

test.each([
  ['in the middle of a file', 1],
  ['at its end', 0],
])('a flipped bit %s costs its own frame at most, and is told', (_where, following) => {
  const { bytes, ends } = sample()
  for (let at = 0; at < bytes.length; at++) {
    const victim = ends.findIndex(end => at < end)
    const start = ends[victim - 1] ?? 0
    for (const bit of [1, 16, 128]) {
      const flipped = Buffer.concat([bytes, ...Array(following).fill(bytes)])
      flipped[at] = (flipped[at] as number) ^ bit
      const { types, damage } = scan(flipped)
      const rest = following ? TYPES : []
      const without = [...TYPES.slice(0, victim), ...TYPES.slice(victim + 1), ...rest]
      // Magic, zero and length follow from the other bytes.
      const isRedundant = at - start >= 4 && at - start < 12 && at - start !== 6
      expect(types, `byte ${at} bit ${bit}`).toEqual(isRedundant ? [...TYPES, ...rest] : without)
      expect(damage, `byte ${at} bit ${bit}`).toEqual([isRedundant ? 'mended' : 'lost', start, ends[victim]])
    }
  }
})

test('a payload that holds frames of the same file does not bring them to life when its own frame is whole', () => {
  const { bytes } = sample()
  const writer = new FrameWriter().begin(FRAME.blob).put(bytes).end()
  writer.check(hashing, SEED)
  expect(scan(writer.bytes.subarray(0, writer.length)).types).toEqual([FRAME.blob])
})

test('a length that goes past the end is put right where the check proves it, and no frame where it does not', () => {
  const { bytes, ends } = sample()
  bytes.writeUInt32LE(0xffffffff, 8)
  expect(scan(bytes).types).toEqual(TYPES)
  bytes[0] = (bytes[0] as number) ^ 1
  expect(scan(bytes)).toMatchObject({ types: TYPES.slice(1), tornBytes: ends[0] })
})

test('a writer grows for long payloads and gives the memory back', () => {
  const writer = new FrameWriter().begin(FRAME.blob).put(Buffer.alloc(3_000_000, 1)).end()
  writer.check(hashing, SEED)
  expect(scan(writer.bytes.subarray(0, writer.length))).toMatchObject({ end: 3_000_000 + FRAME_HEADER_BYTES })
  writer.reset()
  expect(writer.bytes.length).toBeLessThan(10_000)
})

test('bytes made to look like the beginnings of long frames are not each hashed to their ends', () => {
  const bytes = Buffer.alloc(256 * 1024)
  for (let at = 0; at + FRAME_HEADER_BYTES <= bytes.length; at += FRAME_HEADER_BYTES) {
    bytes.writeUInt16LE(FRAME_MAGIC, at + 4)
    bytes[at + 6] = FRAME.blob
    bytes.writeUInt32LE(bytes.length - at - FRAME_HEADER_BYTES, at + 8)
  }
  let hashedBytes = 0
  const counting: Hashing = {
    ...hashing,
    hash32(input, start, end, seed) {
      hashedBytes += end - start
      return hashing.hash32(input, start, end, seed)
    },
  }
  scanFrames(counting, bytes, SEED, { frame: () => undefined })
  expect(hashedBytes).toBeLessThan(bytes.length * 40)
})

test('an unfinished frame after a damaged one is left for its writer to finish, and is torn once others follow', () => {
  const { bytes, ends } = sample()
  const last = ends.at(-2) as number
  const damaged = Buffer.from(bytes)
  damaged[last] = (damaged[last] as number) ^ 1
  for (let length = 1; length < FRAME_HEADER_BYTES; length++) {
    const unfinished = Buffer.concat([damaged, bytes.subarray(0, length)])
    const whole = TYPES.slice(0, -1)
    const lost = ['lost', last, bytes.length]
    expect(scan(unfinished), `${length} bytes`).toMatchObject({ types: whole, damage: lost, end: bytes.length })
    const followed = scan(Buffer.concat([unfinished, bytes]))
    const torn = ['torn', bytes.length, bytes.length + length]
    expect(followed, `${length} bytes`).toMatchObject({ types: [...whole, ...TYPES], damage: [...lost, ...torn] })
  }
})
