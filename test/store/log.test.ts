import { appendFileSync, readFileSync, statSync, truncateSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FRAME } from '../../src/base/layout.js'
import { type FileStat, nodeFiles } from '../../src/files/files.js'
import type { Environment } from '../../src/log/environment.js'
import { FrameWriter } from '../../src/log/frames.js'
import { Log } from '../../src/log/log.js'
import type { FrameReader } from '../../src/log/scan.js'
import { interceptedFiles } from '../support/files.js'
import { newEnvironment, temporaryDirectory } from './environment.js'

/** A log and what it has shown so far. */
function openLog(path: string, environment: Environment = newEnvironment()) {
  const log = new Log(environment, path, 'some/log', 'create')
  const seen: string[] = []
  const torn: number[] = []
  const reader: FrameReader = {
    frame(type, bytes, start, end) {
      if (type === FRAME.put) seen.push(bytes.toString('utf8', start, end))
    },
    damage: (_bytes, start, end) => torn.push(end - start),
  }
  return {
    log,
    seen,
    torn,
    reader,
    append: (...texts: string[]) => {
      const writer = new FrameWriter()
      for (const text of texts) writer.begin(FRAME.put).put(Buffer.from(text)).end()
      return log.append(writer, reader)
    },
    read: () => log.read(reader),
  }
}

test('appended frames are seen at once by their writer, and by others when they read', () => {
  const path = join(temporaryDirectory(), 'log')
  const a = openLog(path)
  const b = openLog(path)
  a.append('one', 'two')
  expect(a.seen).toEqual(['one', 'two'])
  expect(b.read()).toBe(true)
  expect(b.seen).toEqual(['one', 'two'])
})

test('every writer sees all frames in the same order', () => {
  const path = join(temporaryDirectory(), 'log')
  const writers = [openLog(path), openLog(path), openLog(path)]
  const order: string[] = []
  for (let i = 0; i < 200; i++) {
    const text = `frame ${i} ${'x'.repeat((i * 37) % 500)}`
    order.push(text)
    writers[(i * i) % 3]?.append(text)
  }
  for (const writer of writers) {
    writer.read()
    expect(writer.seen).toEqual(order)
  }
})

test('append returns the offset of the first frame of the batch', () => {
  const path = join(temporaryDirectory(), 'log')
  const a = openLog(path)
  const b = openLog(path)
  a.append('from a')
  b.append('from b')
  const offset = a.append('again from a', 'and more')
  expect(a.log.file.readAt(offset, 100).toString()).toContain('again from a')
  expect(a.seen).toEqual(['from a', 'from b', 'again from a', 'and more'])
})

test.each([
  [['first', 'x', 'first', 'y'], []],
  [['first', 'first'], ['first']],
  [['first', 'x'], ['first']],
  [
    ['first', 'x'],
    ['first', 'z'],
  ],
  [['first'], ['z', 'first']],
  [
    ['first', 'x', 'first'],
    ['first', 'x'],
  ],
])('append returns it even if other writers append %j before it and %j after it', (own, after) => {
  const path = join(temporaryDirectory(), 'log')
  const other = openLog(path)
  let isWritten = false
  const files = interceptedFiles(call => {
    const result = call.proceed()
    if (call.name === 'append' && isWritten && after.length > 0) other.append(...after.splice(0))
    return result
  })
  const a = openLog(path, newEnvironment({ files }))
  a.append('before')
  other.append('first', 'of the other', 'first')
  isWritten = true
  const offset = a.append(...own)
  const frames: string[] = []
  const reader: FrameReader = { frame: (_type, bytes, start, end) => frames.push(bytes.toString('utf8', start, end)) }
  openLog(path).log.readSome(offset, 1e6, reader)
  expect(frames.slice(0, own.length)).toEqual(own)
})

test('a torn tail is kept until something valid follows it, and then skipped', () => {
  const path = join(temporaryDirectory(), 'log')
  const a = openLog(path)
  a.append('whole')
  appendFileSync(path, readFileSync(path).subarray(0, 20))
  const b = openLog(path)
  b.read()
  expect(b.seen).toEqual(['whole'])
  expect(b.torn).toEqual([])
  a.append('after')
  b.read()
  expect(b.seen).toEqual(['whole', 'after'])
  expect(b.torn).toEqual([20])
})

test('a tail that its writer finishes later is read', () => {
  const path = join(temporaryDirectory(), 'log')
  const a = openLog(path)
  a.append('first')
  const length = readFileSync(path).length
  a.append('second')
  const bytes = readFileSync(path)
  truncateSync(path, length + 7)
  const b = openLog(path)
  b.read()
  expect(b.seen).toEqual(['first'])
  appendFileSync(path, bytes.subarray(length + 7))
  b.read()
  expect(b.seen).toEqual(['first', 'second'])
  expect(b.torn).toEqual([])
})

test('frames are read whatever the chunk size', () => {
  const path = join(temporaryDirectory(), 'log')
  const a = openLog(path)
  a.append('first', 'second')
  appendFileSync(path, readFileSync(path).subarray(0, 40))
  a.append('third')
  for (let chunkBytes = 1; chunkBytes < 200; chunkBytes++) {
    const { log, seen, reader } = openLog(path)
    for (let from: number | undefined = 0; from !== undefined; ) from = log.readSome(from, chunkBytes, reader)
    expect([chunkBytes, seen]).toEqual([chunkBytes, ['first', 'second', 'third']])
  }
})

test('a log that was deleted, cut or replaced is reported', () => {
  const path = join(temporaryDirectory(), 'log')
  const deleted = openLog(path)
  deleted.append('gone')
  unlinkSync(path)
  expect(deleted.read()).toBe(false)
  expect(deleted.append('more')).toBe(-1)

  const cut = openLog(path)
  cut.append('gone')
  truncateSync(path, 3)
  expect(cut.read()).toBe(false)
})

test('a log that was removed and created again with the same inode and size is reported', () => {
  const path = join(temporaryDirectory(), 'log')
  const fstat = (fd: number) => ({ ...nodeFiles.fstat(fd), inode: 1 })
  const linkStat = (path: string) => ({ ...(nodeFiles.linkStat(path) as FileStat), inode: 1 })
  const environment = newEnvironment({ files: { ...nodeFiles, fstat, linkStat } })
  const a = openLog(path, environment)
  a.append('gone')
  environment.descriptors.closeAll()
  const { size } = statSync(path)
  unlinkSync(path)
  openLog(path).append('anew')
  expect(statSync(path).size).toBe(size)
  expect(a.read()).toBe(false)
  expect(a.seen).toEqual(['gone'])
})

test('a log that was closed to save descriptors can be used again', () => {
  const path = join(temporaryDirectory(), 'log')
  const environment = newEnvironment()
  const a = openLog(path, environment)
  a.append('one')
  environment.descriptors.closeAll()
  openLog(path).append('two')
  expect(a.read()).toBe(true)
  environment.descriptors.closeAll()
  a.append('three')
  expect(a.seen).toEqual(['one', 'two', 'three'])
})

test('a frame longer than the chunk size is read completely', () => {
  const path = join(temporaryDirectory(), 'log')
  const long = 'x'.repeat(3_000_000)
  openLog(path).append('short', long, 'last')
  const b = openLog(path)
  b.read()
  expect(b.seen).toEqual(['short', long, 'last'])
})

test('a short write is an error, and the next append continues after it', () => {
  const path = join(temporaryDirectory(), 'log')
  const environment = newEnvironment()
  const a = openLog(path, environment)
  a.append('first')
  const { append } = environment.files
  environment.files = { ...environment.files }
  const full = newEnvironment({ files: { ...environment.files, append: (fd, bytes) => append(fd, bytes, 9) } })
  const b = openLog(path, full)
  b.read()
  expect(() => b.append('lost')).toThrow(expect.objectContaining({ code: 'ERR_CACHE_IO' }))
  a.append('second')
  expect(a.seen).toEqual(['first', 'second'])
})
