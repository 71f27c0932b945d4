import { existsSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodeFiles } from '../../src/files/files.js'
import type { LogMap } from '../../src/log-map/log-map.js'
import { NO_RECORD } from '../../src/log-map/record.js'
import { filesBelow } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { newEnvironment, randomOf, temporaryDirectory } from './environment.js'
import { BUCKET_BYTES, openMap, positionOf, put, remove } from './text-map.js'

test('a record is found by all processes once it is set, and by none once it is removed', () => {
  const path = temporaryDirectory()
  const a = openMap(path)
  const b = openMap(path)
  expect(b.get('key')).toBeUndefined()
  a.set('key', 'one')
  expect([a.get('key'), b.get('key')]).toEqual(['one', 'one'])
  b.set('key', 'two')
  expect([a.get('key'), b.get('key')]).toEqual(['two', 'two'])
  a.map.renew(0)
  expect(b.get('key')).toBe('two')
  a.remove('key')
  expect([a.get('key'), b.get('key')]).toEqual([undefined, undefined])
})

test('offer makes the same conditional changes as write', () => {
  const path = temporaryDirectory()
  const a = openMap(path)
  a.map.offer([put('key', 'one', NO_RECORD)])
  expect(openMap(path).get('key')).toBe('one')
  openMap(path).map.offer([put('key', 'two', NO_RECORD)])
  expect(openMap(path).get('key')).toBe('one')
  a.map.offer([put('key', 'two', a.check('key'))])
  expect(openMap(path).get('key')).toBe('two')
})

test.each<[string, (map: LogMap) => number]>([
  ['a listing', map => [...map.records()].length],
  ['a clear', map => map.clear()],
  ['a removal of orphans', map => map.removeLeftovers()],
])('a set after %s of an empty map is found by the next lookup', (_first, look) => {
  const path = temporaryDirectory()
  const a = openMap(path)
  const b = openMap(path)
  expect(look(b.map)).toBe(0)
  a.set('key', 'one')
  expect(b.get('key')).toBe('one')
})

test('a lookup in an empty map creates no files', () => {
  const path = join(temporaryDirectory(), 'map')
  expect(openMap(path).get('key')).toBeUndefined()
  expect([...openMap(path).map.records()]).toEqual([])
  expect(openMap(path).map.clear()).toBe(0)
  expect(existsSync(path)).toBe(false)
})

test('thousands of records split into many buckets and are all found again', () => {
  const path = temporaryDirectory()
  const a = openMap(path)
  const expected = new Map<string, string>()
  for (let i = 0; i < 3000; i++) {
    a.set(`key ${i}`, `value ${i}`)
    expected.set(`key ${i}`, `value ${i}`)
  }
  const b = openMap(path)
  for (const [key, value] of expected) expect(b.get(key)).toBe(value)
  expect(b.all()).toEqual(expected)
  expect(filesBelow(path).length).toBeGreaterThan(16)
  expect(filesBelow(path).filter(name => name.endsWith('.new'))).toEqual([])
})

test('a key that is set repeatedly does not make its map grow', () => {
  const path = temporaryDirectory()
  const a = openMap(path)
  for (let i = 0; i < 2000; i++) a.set('same', `value ${i}`)
  expect(a.get('same')).toBe('value 1999')
  const [file, ...others] = filesBelow(path)
  expect(others).toEqual([])
  expect(statSync(join(path, file as string)).size).toBeLessThan(2 * BUCKET_BYTES)
})

test('a batch is stored completely, across buckets', () => {
  const path = temporaryDirectory()
  const a = openMap(path)
  for (const round of [0, 1]) {
    a.map.write(Array.from({ length: 500 }, (_, i) => put(`key ${i}`, `${round}-${i}`)))
  }
  expect(openMap(path).all().size).toBe(500)
  expect(openMap(path).get('key 77')).toBe('1-77')
})

test('a conditional change applies only to the expected record', () => {
  const path = temporaryDirectory()
  const a = openMap(path)
  const b = openMap(path)
  expect(a.map.swap({ ...put('key', 'first'), expected: NO_RECORD })).toBe(true)
  expect(b.map.swap({ ...put('key', 'late'), expected: NO_RECORD })).toBe(false)
  const check = b.check('key')
  a.set('key', 'second')
  expect(b.map.swap({ ...put('key', 'late'), expected: check })).toBe(false)
  expect(b.map.swap({ ...remove('key'), expected: check })).toBe(false)
  expect(b.get('key')).toBe('second')
  expect(b.map.swap({ ...remove('key'), expected: b.check('key') })).toBe(true)
  expect(a.get('key')).toBeUndefined()
})

test('a new reader finds the same records as the processes that wrote them', () => {
  const random = randomOf(20261126)
  for (let round = 0; round < 40; round++) {
    const path = temporaryDirectory()
    const writers = [openMap(path), openMap(path)]
    for (let step = 0; step < 40; step++) {
      const writer = writers[random(2)] as ReturnType<typeof openMap>
      const key = `key ${random(25)}`
      const expected = [undefined, NO_RECORD, NO_RECORD, writer.check(key), 1 + random(100)][random(5)]
      writer.map.write([{ ...(random(4) === 0 ? remove(key) : put(key, `${step}`)), expected }])
    }
    const [a, b] = writers.map(({ all }) => all())
    expect(a).toEqual(b)
    expect(openMap(path).all()).toEqual(a)
  }
})

test('clear counts and removes the records of all processes in every bucket', () => {
  const path = temporaryDirectory()
  const a = openMap(path)
  const b = openMap(path)
  for (let i = 0; i < 300; i++) a.set(`key ${i}`, 'value')
  for (let i = 0; i < 100; i++) b.remove(`key ${i}`)
  expect(a.map.clear()).toBe(200)
  expect(b.all().size).toBe(0)
  b.set('key 5', 'again')
  expect(openMap(path).all()).toEqual(new Map([['key 5', 'again']]))
})

test('records are found after their file was evicted from memory', () => {
  const path = temporaryDirectory()
  const a = openMap(path)
  const value = 'x'.repeat(50_000)
  for (let i = 0; i < 400; i++) a.set(`key ${i}`, `${i} ${value}`)
  for (let i = 0; i < 400; i++) expect(a.get(`key ${i}`)).toBe(`${i} ${value}`)
  for (let i = 0; i < 400; i++) a.set(`key ${i}`, `again ${i}`)
  for (let i = 0; i < 400; i++) expect(a.get(`key ${i}`)).toBe(`again ${i}`)
})

test('lookups without a pause keep no more of the files in memory than those with pauses', () => {
  const path = temporaryDirectory()
  const keys = Array.from({ length: 400 }, (_, i) => `key ${i}`)
  const writer = openMap(path)
  for (const key of keys) writer.set(key, 'x'.repeat(60_000))
  const { map } = openMap(path)
  for (const how of ['first', 'second', 'third']) {
    for (const key of keys) expect(map.get(positionOf(key), Buffer.from(key))?.value.length).toBe(60_000)
    const buckets = new Set(keys.map(key => map.stateAt(positionOf(key), Buffer.from(key))?.bucket))
    const bytes = [...buckets].reduce((sum, bucket) => sum + (bucket?.residentBytes ?? 0), 0)
    expect(bytes, `${how} pass`).toBeGreaterThan(10 * 1024 * 1024)
    expect(bytes, `${how} pass`).toBeLessThan(17 * 1024 * 1024)
  }
})

test('several processes with random changes agree with a model at every step', () => {
  const seed = 20260101
  const random = randomOf(seed)
  const path = temporaryDirectory()
  const processes = [openMap(path), openMap(path), openMap(path)]
  const model = new Map<string, string>()
  for (let step = 0; step < 6000; step++) {
    const process = processes[random(3)] as ReturnType<typeof openMap>
    const key = `key ${random(400)}`
    const action = random(100)
    if (action < 55) {
      process.set(key, `${step}`)
      model.set(key, `${step}`)
    } else if (action < 70) {
      process.remove(key)
      model.delete(key)
    } else if (action < 99) {
      expect(process.get(key), `seed ${seed}, step ${step}`).toBe(model.get(key))
    } else if (action === 99 && random(20) === 0) {
      expect(process.map.clear(), `seed ${seed}, step ${step}`).toBe(model.size)
      model.clear()
    } else if (random(10) === 0) {
      processes[random(3)] = openMap(path)
    }
  }
  for (const process of [...processes, openMap(path)]) {
    expect(process.all(), `seed ${seed}`).toEqual(model)
  }
})

test('records are found on a disk that cannot be written to', () => {
  const path = temporaryDirectory()
  const a = openMap(path)
  for (let i = 0; i < 100; i++) a.set(`key ${i}`, 'value')
  const open: typeof nodeFiles.open = (file, mode) => {
    if (mode !== 'read') throw Object.assign(new Error('read-only'), { code: 'EROFS' })
    return nodeFiles.open(file, mode)
  }
  const b = openMap(path, newEnvironment({ files: { ...nodeFiles, open } }))
  for (let i = 0; i < 100; i++) expect(b.get(`key ${i}`)).toBe('value')
  expect(() => b.set('key 5', 'new')).toThrow(expect.objectContaining({ code: 'EROFS' }))
  expect(b.get('key 5')).toBe('value')
})

test('of two values of one key in a batch the later one counts, if the bucket is replaced at any call', () => {
  for (const isNew of [true, false]) {
    for (let at = 1, calls = 1; at <= calls; at++) {
      const path = temporaryDirectory()
      const other = openMap(path)
      if (!isNew) other.set('key', 'value')
      let call = Number.NEGATIVE_INFINITY
      const files = interceptedFiles(({ proceed }) => {
        if (++call === at) other.map.renew(0)
        return proceed()
      })
      const { map } = openMap(path, newEnvironment({ files }))
      call = 0
      map.write([put('twice', 'first'), put('once', 'value'), put('twice', 'second')])
      calls = call
      call = Number.NEGATIVE_INFINITY
      expect(other.get('twice'), `new: ${isNew}, call ${at}`).toBe('second')
      rmSync(path, { recursive: true })
    }
  }
})

test('a process does not create a bucket file again that others have replaced', () => {
  const path = temporaryDirectory()
  const [a, b] = [openMap(path), openMap(path)]
  a.set('key', 'value')
  b.map.renew(0)
  // As it happens once many files are open.
  a.environment.descriptors.closeAll()
  a.set('other', 'value')
  expect(filesBelow(path)).toEqual(['_.1'])
  for (const key of ['key', 'other']) b.remove(key)
  b.map.removeIfEmpty()
  expect(openMap(path).all().size).toBe(0)
})

test('when all files are deleted, an open process starts anew in its next tick', () => {
  const path = temporaryDirectory()
  const a = openMap(path)
  for (let i = 0; i < 300; i++) a.set(`key ${i}`, 'value')
  rmSync(path, { recursive: true })
  a.set('key 1', 'new')
  a.environment.tick.end()
  expect(a.get('key 2')).toBeUndefined()
  expect(openMap(path).all()).toEqual(new Map([['key 1', 'new']]))
})

test('a deleted bucket file loses only its own records', () => {
  const path = temporaryDirectory()
  const a = openMap(path)
  for (let i = 0; i < 500; i++) a.set(`key ${i}`, 'value')
  a.map.close()
  const victim = filesBelow(path).find(name => name.includes('.')) as string
  unlinkSync(join(path, victim))
  const b = openMap(path)
  const left = Array.from({ length: 500 }, (_, i) => b.get(`key ${i}`)).filter(value => value === 'value').length
  expect(left).toBeGreaterThan(300)
  for (let i = 0; i < 500; i++) b.set(`key ${i}`, 'again')
  for (let i = 0; i < 500; i++) expect(b.get(`key ${i}`)).toBe('again')
})
