// What a bucket takes in by WebAssembly, held against what it takes in frame by frame.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FRAME } from '../../src/base/layout.js'
import { FrameWriter } from '../../src/log/frames.js'
import { Log, seedOf } from '../../src/log/log.js'
import { Bucket } from '../../src/log-map/bucket.js'
import { changeOf, NO_RECORD, RecordView, writeChange } from '../../src/log-map/record.js'
import { interceptedFiles, systemError } from '../support/files.js'
import { printedSeed, randomFrom } from '../support/random.js'
import { newEnvironment, temporaryDirectory } from './environment.js'

const IDENTITY = 'some/map/_.0'
const environment = newEnvironment()

/** Counts the frames that it is shown one by one. */
class Watched extends Bucket {
  shown = 0
  override frame(type: number, bytes: Buffer, start: number, end: number, offset: number): void {
    this.shown++
    super.frame(type, bytes, start, end, offset)
  }
}

/** Takes nothing in but frame by frame. */
class Plain extends Watched {
  override skim(_held: unknown, at: number): number {
    return at
  }
}

function bucketAt(path: string, Kind = Watched, { files } = environment) {
  const log = new Log(newEnvironment({ files }), path, IDENTITY, 'read')
  return new Kind(log, { prefix: '', generation: 0 }, 1e6, () => undefined)
}

function fileOf(writer: FrameWriter): string {
  const path = join(temporaryDirectory(), '_.0')
  writer.check(environment.hashing, seedOf(environment, IDENTITY))
  writeFileSync(path, writer.bytes.subarray(0, writer.length))
  return path
}

interface Put {
  key: string
  value: string
  slot: number
  expected?: number
}

function put(writer: FrameWriter, { key, value, slot, expected }: Put): void {
  writeChange(writer, changeOf('put', { place: 1, slot }, Buffer.from(key), Buffer.from(value), expected), 7)
}

/** All over the range of unsigned integers, each once. */
const slotOf = (i: number) => Math.imul(i + 1, 0x9e3779b1) >>> 0

/** So many puts, every second one of those that expect nothing. */
function puts(count: number, valueBytes: number, name = 'key'): FrameWriter {
  const writer = new FrameWriter().begin(FRAME.open).end()
  for (let i = 0; i < count; i++) {
    const expected = i % 2 ? { expected: NO_RECORD } : {}
    put(writer, { key: `${name} ${i}`, value: `${i} `.padEnd(valueBytes, 'v'), slot: slotOf(i), ...expected })
  }
  return writer
}

function expectAll(bucket: Bucket, count: number, name = 'key'): void {
  for (let i = 0; i < count; i++) {
    const found = bucket.find(slotOf(i), Buffer.from(`${name} ${i}`))
    expect(found?.value.toString().split(' ', 1)).toEqual([`${i}`])
  }
}

/** Everything that can be told of a bucket. */
function stateOf(bucket: Bucket) {
  const records = bucket.located().map(({ record, offset }) => [offset, record.key.toString(), record.value.toString()])
  const { sealedAt, successor, liveCount, clearedCount, deadBytes } = bucket
  const { end, sizeBytes, tornBytes } = bucket.log
  return { records, sealedAt, successor, liveCount, clearedCount, deadBytes, end, sizeBytes, tornBytes }
}

test.each([
  ['of one piece', 1000, 60, 1],
  ['of several pieces of memory, whose borders lie in frames', 6000, 100, 4],
  ['shorter than a table is made for, so that it grows', 5000, 4, 3],
  ['so many that there is no room for their table', 40_000, 4, 40_000],
])('puts of new keys, %s, are all taken in', (_what, count, valueBytes, atMost) => {
  const bucket = bucketAt(fileOf(puts(count, valueBytes)))
  expect(bucket.refresh()).toBe(true)
  expect(bucket.shown).toBeGreaterThanOrEqual(1)
  expect(bucket.shown).toBeLessThanOrEqual(atMost)
  expect(bucket.liveCount).toBe(count)
  expectAll(bucket, count)
  expect(bucket.find(slotOf(count), Buffer.from(`key ${count}`))).toBeUndefined()
})

test('puts of new keys after a clear are taken in as well', () => {
  const writer = puts(300, 60, 'cleared')
  writer.begin(FRAME.clear).end()
  for (let i = 0; i < 300; i++) put(writer, { key: `key ${i}`, value: `${i} `, slot: slotOf(i) })
  const bucket = bucketAt(fileOf(writer))
  bucket.refresh()
  // The opening, the clear, and what the table has no room for until it has grown again.
  expect(bucket.shown).toBeLessThan(8)
  expectAll(bucket, 300)
  expect([bucket.liveCount, bucket.clearedCount]).toEqual([300, 300])
})

test('whatever the frames are, and whatever was done to them, it is as frame by frame', () => {
  const random = randomFrom(printedSeed('skimmed buckets'))
  for (let round = 0; round < 400; round++) {
    const writer = new FrameWriter()
    const frames: number[] = []
    const keyCount = 1 + random(60)
    for (let left = random(120); left > 0; left--) {
      frames.push(writer.length)
      const i = random(keyCount)
      // Some keys share a slot.
      const position = { place: 1, slot: slotOf(i % 40) }
      const key = Buffer.from(`key ${i}`)
      const kind = random(60)
      if (kind === 0) writer.begin(FRAME.clear).end()
      else if (kind === 1 && round % 4 === 0) writer.begin(FRAME.seal).end()
      else if (kind === 2) writer.begin(FRAME.successor).put(Buffer.alloc(9, 1)).end()
      else if (kind === 3)
        writer
          .begin(FRAME.put)
          .put(Buffer.alloc(random(30), 0xff))
          .end()
      else {
        const before = frames[random(frames.length)] as number
        const expected = [undefined, undefined, NO_RECORD, new RecordView(writer.bytes, before).check][random(4)]
        const value = Buffer.from(`${round} ${left}`.padEnd(random(50)))
        writeChange(writer, changeOf(kind < 8 ? 'remove' : 'put', position, key, value, expected), random(9))
      }
      writer.check(environment.hashing, seedOf(environment, IDENTITY))
    }
    const bytes = Buffer.from(writer.bytes.subarray(0, writer.length))
    if (bytes.length > 0 && round % 3 === 0) bytes[random(bytes.length)] = random(256)
    const path = join(temporaryDirectory(), '_.0')
    writeFileSync(path, bytes.subarray(0, round % 5 === 0 ? random(bytes.length + 1) : bytes.length))
    const [skimmed, plain] = [bucketAt(path), bucketAt(path, Plain)]
    expect([skimmed.refresh(), plain.refresh()], `round ${round}`).toEqual([true, true])
    expect(skimmed.shown).toBeLessThanOrEqual(plain.shown)
    expect(stateOf(skimmed), `round ${round}`).toEqual(stateOf(plain))
  }
})

test('a table that was read stays as it is while others are read', () => {
  const paths = ['one', 'two'].map(name => fileOf(puts(700, 30, name)))
  const [one, two] = paths.map(path => bucketAt(path)) as [Watched, Watched]
  one.refresh()
  two.refresh()
  expectAll(one, 700, 'one')
  expectAll(two, 700, 'two')
})

test('a file of which only the beginning could be read is read on from there, whatever was read in between', () => {
  // More than is read at a time.
  const path = fileOf(puts(9000, 130, 'one'))
  let isFailing = true
  const files = interceptedFiles(call => {
    if (call.name === 'read' && call.args[4] !== 0 && isFailing) throw systemError('EIO', call)
    return call.proceed()
  })
  const one = bucketAt(path, Watched, newEnvironment({ files }))
  expect(() => one.refresh()).toThrow('EIO')
  expect(one.liveCount).toBeGreaterThan(5000)
  const two = bucketAt(fileOf(puts(700, 30, 'two')))
  two.refresh()
  isFailing = false
  expect(one.refresh()).toBe(true)
  expectAll(one, 9000, 'one')
  expectAll(two, 700, 'two')
})
