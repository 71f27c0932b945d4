import { describe, expect, test } from 'vitest'
import { FRAME, FRAME_END, FRAME_HEADER_BYTES, FRAME_MAGIC, FRAME_TRAILER_BYTES } from '../../src/base/layout.js'
import { createHashing, type Hashing } from '../../src/hashing/hashing.js'
import { FrameWriter } from '../../src/log/frames.js'
import { scanFrames } from '../../src/log/scan.js'

const hashing = createHashing()
const SEED = 42
const TYPES = Object.values(FRAME)

function bytesOf(writer: FrameWriter, seed = SEED): Buffer {
  writer.check(hashing, seed)
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

const frameOf = (type: number, payload: Buffer) => bytesOf(new FrameWriter().begin(type).put(payload).end())

/** One frame of each type, with payloads of different lengths, the second one looking like a frame itself. */
function sample(seed = SEED): { bytes: Buffer; ends: number[] } {
  const inner = bytesOf(new FrameWriter().begin(FRAME.put).put(Buffer.from('inner')).end(), seed + 1)
  const writer = new FrameWriter()
  const ends = TYPES.map((type, index) => {
    const payload = index === 1 ? inner : Buffer.alloc(index * 3, index)
    return writer
      .begin(type, index, index + 1, index)
      .put(payload)
      .end().length
  })
  return { bytes: bytesOf(writer, seed), ends }
}

function scan(bytes: Buffer, seed = SEED, checksPayloads = false) {
  const types: number[] = []
  const damage: unknown[] = []
  const end = scanFrames(hashing, bytes, seed, {
    checksPayloads,
    frame: type => {
      types.push(type)
    },
    damage: (_bytes, start, stop, kind) => damage.push(kind, start, stop),
  })
  return { types, damage, end }
}

test('frames are read in order with their payloads', () => {
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
  expect(scan(bytes)).toEqual({ types: TYPES, damage: [], end: bytes.length })
  expect(payloads[4]).toEqual(Buffer.alloc(12, 4))
  expect(offsets).toEqual([0, ...sample().ends.slice(0, -1)].map(offset => 1000 + offset))
})

test('no frame is valid with the seed of another file', () => {
  const { bytes } = sample()
  expect(scan(bytes, SEED + 5)).toMatchObject({ types: [], damage: ['lost', 0, bytes.length] })
})

test('no byte of a trailer equals the first byte of a frame', () => {
  for (let i = 0; i < 2000; i++) {
    const bytes = frameOf(FRAME.put, Buffer.from(`payload ${i}`))
    expect(bytes[0]).toBe(FRAME_MAGIC)
    expect(bytes.at(-1)).toBe(FRAME_END)
    expect(bytes.subarray(-FRAME_TRAILER_BYTES).includes(FRAME_MAGIC)).toBe(false)
  }
})

describe('a truncated file', () => {
  test('keeps every frame before the cut, and leaves the rest for its writer to finish', () => {
    const { bytes, ends } = sample()
    for (let length = 0; length <= bytes.length; length++) {
      const whole = ends.filter(end => end <= length)
      expect(scan(bytes.subarray(0, length)), `cut at ${length}`).toEqual({
        types: TYPES.slice(0, whole.length),
        damage: [],
        end: whole.at(-1) ?? 0,
      })
    }
  })

  test('loses only the truncated frame once others follow', () => {
    const { bytes } = sample()
    for (const payload of [Buffer.alloc(40, 7), Buffer.alloc(40, FRAME_MAGIC), Buffer.alloc(0), Buffer.alloc(500, 1)]) {
      const victim = frameOf(FRAME.put, payload)
      for (let length = 1; length < victim.length; length++) {
        const torn = Buffer.concat([bytes, victim.subarray(0, length), bytes])
        for (const checksPayloads of [false, true]) {
          expect(scan(torn, SEED, checksPayloads), `torn after ${length}`).toEqual({
            types: [...TYPES, ...TYPES],
            damage: ['torn', bytes.length, bytes.length + length],
            end: torn.length,
          })
        }
      }
    }
  })

  test('is recognized even if later frames end where the truncated one would have ended', () => {
    for (let missing = 1; missing < 200; missing++) {
      const victim = frameOf(FRAME.put, Buffer.alloc(400, 3)).subarray(0, -missing)
      for (let filler = 0; filler < 8; filler++) {
        const next = frameOf(FRAME.put, Buffer.alloc(Math.max(0, missing - 28 - filler), missing))
        const bytes = Buffer.concat([victim, next, next])
        // Whether or not payloads are checked: header and trailer tell.
        for (const checksPayloads of [false, true]) {
          expect(scan(bytes, SEED, checksPayloads), `${missing} missing, ${filler} left`).toEqual({
            types: [FRAME.put, FRAME.put],
            damage: ['torn', 0, victim.length],
            end: bytes.length,
          })
        }
      }
    }
  })
})

test('partial frames of several killed writers in a row are not damage', () => {
  const { bytes, ends } = sample()
  const first = bytes.subarray(ends[5] as number, (ends[5] as number) + 40)
  const second = bytes.subarray(ends[3] as number, (ends[3] as number) + 5)
  const torn = Buffer.concat([bytes, first, first, second, bytes])
  const at = bytes.length
  expect(scan(torn)).toMatchObject({
    types: [...TYPES, ...TYPES],
    damage: ['torn', at, at + 40, 'torn', at + 40, at + 85],
  })
})

test.each([
  ['in the middle of a file', 1],
  ['at its end', 0],
])('a flipped bit %s loses its own frame at most, and is reported', (_where, following) => {
  const { bytes, ends } = sample()
  for (let at = 0; at < bytes.length; at++) {
    const victim = ends.findIndex(end => at < end)
    const start = ends[victim - 1] ?? 0
    const end = ends[victim] as number
    for (const change of [1, 16, 128, (bytes[at] as number) ^ FRAME_MAGIC, (bytes[at] as number) ^ FRAME_END]) {
      if (change === 0) continue
      const flipped = Buffer.concat([bytes, ...Array(following).fill(bytes)])
      flipped[at] = (flipped[at] as number) ^ change
      const { types, damage } = scan(flipped)
      const rest = following ? TYPES : []
      const isInTrailer = at >= end - FRAME_TRAILER_BYTES
      const own = isInTrailer ? TYPES.slice(victim, victim + 1) : []
      const where = `byte ${at} changed by ${change}`
      expect(types, where).toEqual([...TYPES.slice(0, victim), ...own, ...TYPES.slice(victim + 1), ...rest])
      const kind = at - start < FRAME_HEADER_BYTES ? 'lost' : 'corrupt'
      // A trailer's byte that looks like the beginning of a frame is one of another writer's, for all that can be told.
      const isBegun = isInTrailer && change === ((bytes[at] as number) ^ FRAME_MAGIC)
      if (!isBegun) expect(damage, where).toEqual([kind, start, end])
      else expect(damage.slice(0, 3), where).toEqual([kind, start, end])
    }
  }
})

test('frames inside the payload of a valid frame are not read as frames', () => {
  const { bytes } = sample()
  expect(scan(frameOf(FRAME.blob, bytes)).types).toEqual([FRAME.blob])
})

test('a length beyond the end is damage', () => {
  const { bytes, ends } = sample()
  bytes.writeUInt32LE(0xffffffff, 4)
  expect(scan(bytes)).toMatchObject({ types: TYPES.slice(1), damage: ['lost', 0, ends[0]] })
})

test('a writer grows for long payloads and frees the memory afterwards', () => {
  const writer = new FrameWriter().begin(FRAME.blob).put(Buffer.alloc(3_000_000, 1)).end()
  expect(scan(bytesOf(writer))).toMatchObject({ end: 3_000_000 + FRAME_HEADER_BYTES + FRAME_TRAILER_BYTES })
  writer.reset()
  expect(writer.bytes.length).toBeLessThan(10_000)
})

test('bytes that look like starts of long frames are not each hashed to their ends', () => {
  const count = 5000
  const one = bytesOf(new FrameWriter().begin(FRAME.blob).put(Buffer.alloc(1_000_000)).end()).subarray(
    0,
    FRAME_HEADER_BYTES,
  )
  const bytes = Buffer.concat(Array(count).fill(one))
  let hashedBytes = 0
  const counting: Hashing = {
    ...hashing,
    hash32(input, start, end, seed) {
      hashedBytes += end - start
      return hashing.hash32(input, start, end, seed)
    },
  }
  scanFrames(counting, bytes, SEED, { frame: () => undefined })
  expect(hashedBytes).toBeLessThan(bytes.length * 2)
})

test('a partial frame after a damaged one is left for its writer, and is torn once others follow', () => {
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
    expect(followed.types, `${length} bytes`).toEqual([...whole, ...TYPES])
    const [kind, from, to] = followed.damage
    expect([kind, from], `${length} bytes`).toEqual(['lost', last])
    expect(to as number).toBeGreaterThanOrEqual(bytes.length)
  }
})
