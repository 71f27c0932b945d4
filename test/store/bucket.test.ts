// A lookup that searches the file's bytes, compared with a lookup in the table built from the whole file.

import { describe, expect, test } from 'vitest'
import { FRAME, FRAME_HEADER_BYTES, FRAME_MAGIC } from '../../src/base/layout.js'
import { type FileStat, type Files, nodeFiles } from '../../src/files/files.js'
import type { Hashing } from '../../src/hashing/hashing.js'
import { FrameWriter } from '../../src/log/frames.js'
import { LogFile, seedOf } from '../../src/log/log-file.js'
import { writeOpenFrame } from '../../src/log/opening.js'
import { Bucket } from '../../src/log-map/bucket.js'
import { changeOf, NO_RECORD, RecordView, writeChange } from '../../src/log-map/record.js'
import { printedSeed, randomFrom } from '../support/random.js'
import { counting, inRounds } from '../support/torture.js'
import { newEnvironment } from './environment.js'

const IDENTITY = 'some/map/_.0'
const environment = newEnvironment()
const seed = seedOf(environment, IDENTITY)
const count = counting()

/** A disk with one file, and what is read of it. */
function diskOf(file: { bytes: Buffer }): Files {
  return {
    ...nodeFiles,
    open: () => 3,
    close: () => undefined,
    fstat: () => ({ kind: 'file', links: 1, sizeBytes: file.bytes.length }) as FileStat,
    read: (_fd, into, at, length, position) => file.bytes.copy(into, at, position, position + length),
  }
}

function bucketOf(bytes: Buffer, { hashing } = environment): Bucket {
  return bucketAt({ bytes }, hashing)
}

function bucketAt(file: { bytes: Buffer }, hashing = environment.hashing): Bucket {
  const logFile = new LogFile(newEnvironment({ files: diskOf(file), hashing }), '/_.0', IDENTITY, 'read')
  return new Bucket(logFile, { prefix: '', generation: 0 }, 1e6, () => undefined)
}

/** Some share a hash, some a tag. */
const positionOf = (i: number) => ({ hash: i % 5, tag: Math.imul((i % 7) + 1, 0x9e3779b1) >>> 0 })
const keyOf = (i: number) => Buffer.from(`key ${i}`)
const KEY_COUNT = 35

function finished(writer: FrameWriter): Buffer {
  writer.check(environment.hashing, seed)
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

function put(
  writer: FrameWriter,
  i: number,
  value: string,
  expected?: number,
  kind: 'put' | 'remove' = 'put',
): FrameWriter {
  writeChange(writer, changeOf(kind, positionOf(i), keyOf(i), Buffer.from(value), expected), 7)
  return writer
}

/** What each key's lookup gives, in a bucket that was read for it alone. */
function searched(bytes: Buffer): (string | undefined)[] {
  return Array.from({ length: KEY_COUNT }, (_, i) => lookup(bucketOf(bytes), i))
}

/** The same where each of a few buckets is searched several times, in an order that depends on the seed. */
function searchedInTurns(bytes: Buffer, seed: number): (string | undefined)[] {
  const random = randomFrom(seed)
  const buckets = Array.from({ length: 4 }, () => bucketOf(bytes))
  const found: (string | undefined)[] = Array.from({ length: KEY_COUNT })
  const keys = Array.from({ length: KEY_COUNT }, (_, i) => i).sort(() => random(3) - 1)
  for (const [turn, i] of keys.entries()) found[i] = lookup(buckets[turn % buckets.length] as Bucket, i)
  return found
}

/** The same of one bucket that has built its table. */
function tabled(bytes: Buffer): (string | undefined)[] {
  const bucket = bucketOf(bytes)
  expect(bucket.refresh()).toBe(true)
  expect(bucket.table.liveCount).toBeGreaterThanOrEqual(0)
  return Array.from({ length: KEY_COUNT }, (_, i) => lookup(bucket, i))
}

function lookup(bucket: Bucket, i: number): string | undefined {
  bucket.refresh()
  const { hash, tag } = positionOf(i)
  const found = bucket.find(hash, tag, keyOf(i))
  return found && `${found.kind} ${found.value} ${found.check}`
}

function expectSame(bytes: Buffer, what: string): (string | undefined)[] {
  const found = tabled(bytes)
  expect(searched(bytes), what).toEqual(found)
  expect(searchedInTurns(bytes, bytes.length), `${what}, in turns`).toEqual(found)
  count('buckets')
  return found
}

test('a search finds the latest put of a key, and nothing if the key is missing or removed', () => {
  const writer = new FrameWriter()
  for (let i = 0; i < 30; i++) put(writer, i, `old ${i}`)
  for (let i = 0; i < 30; i += 3) put(writer, i, `new ${i}`)
  put(writer, 4, 'gone', undefined, 'remove')
  const found = expectSame(finished(writer), 'written')
  expect(found[3]).toMatch(/^put new 3 /)
  expect(found[5]).toMatch(/^put old 5 /)
  expect(found[4]).toMatch(/^remove gone /)
  expect(found[31]).toBeUndefined()
})

test('a search checks only the payload of the requested record', () => {
  const writer = new FrameWriter()
  for (let i = 0; i < 30; i++) put(writer, i, `value ${i}`)
  const hashed: number[] = []
  const hashing: Hashing = {
    ...environment.hashing,
    hash32(bytes, start, end, under) {
      hashed.push(end - start)
      return environment.hashing.hash32(bytes, start, end, under)
    },
  }
  const bucket = bucketOf(finished(writer), { ...environment, hashing })
  hashed.splice(0)
  expect(lookup(bucket, 3)).toMatch(/^put value 3 /)
  // The payload that was asked for, and that of a seal, which isn't there.
  expect(hashed.length).toBeLessThan(4)
})

describe('search and table agree whether a record is still valid after', () => {
  const check = (bytes: Buffer, frame: number) => new RecordView(bytes, frame).check
  const first = finished(put(new FrameWriter(), 1, 'first'))
  const cases: [string, (writer: FrameWriter) => void, RegExp | undefined][] = [
    ['a clear', writer => writer.begin(FRAME.clear).end(), undefined],
    ['a seal', writer => put(writer.begin(FRAME.seal).end(), 1, 'void'), /^put first /],
    ['a put that expects it', writer => put(writer, 1, 'second', check(first, 0)), /^put second /],
    ['a put that expects another', writer => put(writer, 1, 'second', 123), /^put first /],
    ['a put that expects nothing', writer => put(writer, 1, 'second', NO_RECORD), /^put first /],
    ['a removal that expects it', writer => put(writer, 1, 'why', check(first, 0), 'remove'), /^remove why /],
    ['a removal that expects another', writer => put(writer, 1, 'why', 123, 'remove'), /^put first /],
    [
      'a put that expects nothing after a clear',
      writer => put(writer.begin(FRAME.clear).end(), 1, 'second', NO_RECORD),
      /^put second /,
    ],
    [
      'a put that expects nothing after a removal',
      writer => put(put(writer, 1, 'why', undefined, 'remove'), 1, 'second', NO_RECORD),
      /^put second /,
    ],
  ]
  test.each(cases)('%s', (_what, write, expected) => {
    const writer = put(new FrameWriter(), 1, 'first')
    write(writer)
    put(writer, 2, 'another')
    const [, found] = expectSame(finished(writer), 'written')
    if (expected) expect(found).toMatch(expected)
    else expect(found).toBeUndefined()
  })
})

test('a record damaged at any byte is a miss, and the record it replaced does not come back', () => {
  const second = finished(put(put(new FrameWriter(), 1, 'the first'), 2, 'of another key'))
  const bytes = finished(put(put(put(new FrameWriter(), 1, 'the first'), 2, 'of another key'), 1, 'the second'))
  for (let at = second.length; at < bytes.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      if (byte === bytes[at]) continue
      const damaged = Buffer.from(bytes)
      damaged[at] = byte
      const where = `byte ${at - second.length} is ${byte}`
      for (const after of [damaged, Buffer.concat([damaged, finished(put(new FrameWriter(), 3, 'last'))])]) {
        // Of one whose trailer alone is damaged all is known.
        expect(lookup(bucketOf(after), 1) ?? 'put the second ', where).toMatch(/^put the second /)
      }
    }
  }
})

/** Frames of all kinds, over few keys. */
function randomFrames(random: (below: number) => number, length: number, hasSeals = true): FrameWriter {
  const writer = new FrameWriter()
  if (random(2) === 0) writeOpenFrame(writer, IDENTITY, environment)
  const frames: number[] = []
  for (let left = length; left > 0; left--) {
    frames.push(writer.length)
    const i = random(KEY_COUNT)
    const kind = random(60)
    if (kind === 0) writer.begin(FRAME.clear).end()
    else if (kind === 1 && hasSeals && random(8) === 0) writer.begin(FRAME.seal).end()
    else if (kind === 2) writer.begin(FRAME.successor).put(Buffer.alloc(9, 1)).end()
    else if (kind === 3) {
      const { hash, tag } = positionOf(i)
      writer
        .begin(FRAME.put, hash, tag, random(40))
        .put(Buffer.alloc(random(30), 0xff))
        .end()
    } else {
      writer.check(environment.hashing, seed)
      const before = frames[random(frames.length)] as number
      const isRecord = before + FRAME_HEADER_BYTES <= writer.length
      const known = isRecord ? new RecordView(writer.bytes, before).check : 5
      const expected = [undefined, undefined, NO_RECORD, known][random(4)]
      const value = `${left}`.padEnd(random(50), String.fromCharCode(random(300)))
      put(writer, i, value, expected, kind < 10 ? 'remove' : 'put')
    }
  }
  return writer
}

test('a search agrees with the table in random buckets, whole, cut and changed at every byte', async () => {
  await inRounds({ short: 4, share: 0.1 }, roundSeed => {
    const random = randomFrom(roundSeed)
    const bytes = finished(randomFrames(random, 2 + random(25)))
    expectSame(bytes, `seed ${roundSeed}`)
    for (let at = 0; at < bytes.length; at += 1 + random(3)) {
      expectSame(bytes.subarray(0, at), `seed ${roundSeed}, cut at ${at}`)
      const changed = Buffer.from(bytes)
      changed[at] = random(4) === 0 ? FRAME_MAGIC : random(256)
      expectSame(changed, `seed ${roundSeed}, byte ${at}`)
      if (random(10) > 0) continue
      // A stretch that the disk lost, and a writer that was killed.
      changed.fill(random(2) === 0 ? 0 : FRAME_MAGIC, at, Math.min(changed.length, at + random(200)))
      expectSame(changed, `seed ${roundSeed}, stretch at ${at}`)
      expectSame(Buffer.concat([bytes.subarray(0, at), bytes]), `seed ${roundSeed}, torn at ${at}`)
    }
  })
})

test('an appended record that voids a found record is noticed', () => {
  const writer = put(put(new FrameWriter(), 1, 'one'), 2, 'two')
  const before = finished(writer)
  const later = finished(put(writer.begin(FRAME.clear).end(), 2, 'later'))
  const damaged = Buffer.from(later)
  damaged.writeUInt8(0, before.length)
  for (const bytes of [later, damaged]) {
    const file = { bytes: before }
    const bucket = bucketAt(file)
    expect(lookup(bucket, 1)).toMatch(/^put one /)
    file.bytes = bytes
    expect(lookup(bucket, 1)).toBeUndefined()
    expect(lookup(bucket, 2)).toMatch(/^put later /)
  }
})

test('a bucket read while it grows gives the same records as one read at once', () => {
  const random = randomFrom(printedSeed('growing buckets'))
  for (let round = 0; round < 60; round++) {
    const bytes = finished(randomFrames(random, 60))
    // In some of them headers are lost.
    const lostAt = random(2 * bytes.length)
    bytes.subarray(lostAt, lostAt + 40).fill(0)
    const file: { bytes: Buffer } = { bytes: Buffer.alloc(0) }
    const bucket = bucketAt(file)
    for (let length = 0; length < bytes.length; length = Math.min(bytes.length, length + 1 + random(400))) {
      file.bytes = bytes.subarray(0, length)
      expect(bucket.refresh()).toBe(true)
      if (random(4) === 0) {
        const i = random(KEY_COUNT)
        expect(lookup(bucket, i), `round ${round}, ${length} bytes`).toEqual(tabled(file.bytes)[i])
      }
      if (random(5) === 0) bucket.evict()
    }
    file.bytes = bytes
    const grown = Array.from({ length: KEY_COUNT }, (_, i) => lookup(bucket, i))
    expect(grown, `round ${round}`).toEqual(tabled(bytes))
    const whole = bucketAt({ bytes })
    whole.refresh()
    // Where the file ended within damage, that may count as two.
    const difference = bucket.table.damaged().bytes - whole.table.damaged().bytes
    expect(Math.abs(difference), `round ${round}`).toBeLessThan(64)
  }
})

test('a file that is cut while it is read has no records past its end', () => {
  const writer = new FrameWriter()
  for (let i = 0; i < 5; i++) put(writer, i, 'early')
  const { length } = writer
  for (let i = 0; i < 20; i++) put(writer, i, 'later'.padEnd(400, 'x'))
  const whole = finished(writer)
  const file: { bytes: Buffer } = { bytes: whole.subarray(0, length) }
  let sizeBytes = length
  const files: Files = { ...diskOf(file), fstat: () => ({ kind: 'file', links: 1, sizeBytes }) as FileStat }
  const bucket = new Bucket(
    new LogFile(newEnvironment({ files }), '/_.0', IDENTITY, 'read'),
    { prefix: '', generation: 0 },
    1e6,
    () => undefined,
  )
  bucket.refresh()
  expect(bucket.table.liveCount).toBe(5)
  bucket.evict()
  file.bytes = whole.subarray(0, length + 10)
  sizeBytes = whole.length
  bucket.refresh()
  expect([bucket.end, bucket.table.liveCount]).toEqual([length + 10, 5])
})

test('two processes that append find the same, whatever they have freed from memory', () => {
  const random = randomFrom(printedSeed('appending buckets'))
  for (let round = 0; round < 60; round++) {
    const file: { bytes: Buffer } = { bytes: Buffer.alloc(0) }
    const files: Files = {
      ...diskOf(file),
      linkStat: () => diskOf(file).fstat(3),
      append(_fd, bytes, length) {
        file.bytes = Buffer.concat([file.bytes, bytes.subarray(0, length)])
        return length
      },
    }
    const buckets = [0, 1].map(() => {
      const logFile = new LogFile(newEnvironment({ files }), '/_.0', IDENTITY, 'append')
      return new Bucket(logFile, { prefix: '', generation: 0 }, 1e6, () => undefined)
    })
    const freed = () => {
      for (const bucket of buckets) if (random(3) === 0) bucket.evict()
      return buckets[random(2)] as Bucket
    }
    for (let step = 0; step < 40; step++) {
      // A process appends a seal alone.
      expect(freed().append(randomFrames(random, 1 + random(40), false))).toBeGreaterThanOrEqual(0)
      const key = random(KEY_COUNT)
      expect(lookup(freed(), key), `round ${round}, step ${step}`).toEqual(tabled(file.bytes)[key])
    }
    freed().append(new FrameWriter().begin(FRAME.seal).end())
    const naming = freed()
    naming.append(new FrameWriter().begin(FRAME.successor).u8(1).put(Buffer.alloc(8, round)).end())
    const whole = bucketOf(file.bytes)
    whole.refresh()
    const { sealedAt, successor } = whole.table
    expect(successor).toBeDefined()
    // It must know at once whether others have named one before.
    expect(naming.successor, `round ${round}`).toEqual(successor)
    for (const bucket of buckets) {
      bucket.refresh()
      expect([bucket.sealedAt, bucket.successor], `round ${round}`).toEqual([sealedAt, successor])
    }
  }
})
