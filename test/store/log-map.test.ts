import { existsSync, readdirSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { join, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodeFiles } from '../../src/files/files.js'
import type { Environment } from '../../src/log/environment.js'
import { LogMap } from '../../src/log-map/log-map.js'
import { type Change, changeOf, NO_RECORD } from '../../src/log-map/record.js'
import { interceptedFiles } from '../support/files.js'
import { Killed, mortalFiles, newEnvironment, randomOf, temporaryDirectory } from './environment.js'

/** Small, so that a few dozen records make it split. */
const BUCKET_BYTES = 2048

function positionOf(key: string) {
  const random = randomOf([...key].reduce((hash, char) => (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0, 7))
  return { hash: random(0x10000) * 0x10000 + random(0x10000), tag: random(0x10000) }
}

function put(key: string, value: string, expected?: number): Change {
  return changeOf('put', positionOf(key), Buffer.from(key), Buffer.from(value), expected)
}

function remove(key: string): Change {
  return changeOf('remove', positionOf(key), Buffer.from(key), Buffer.from('why'))
}

function openMap(path: string, environment: Environment = newEnvironment()) {
  const map = new LogMap(environment, path, 'some/map', key => positionOf(key.toString()), BUCKET_BYTES)
  return {
    map,
    environment,
    set: (key: string, value: string) => map.write([put(key, value)]),
    remove: (key: string) => map.write([remove(key)]),
    get: (key: string) => {
      const found = map.get(positionOf(key), Buffer.from(key))
      return found?.kind === 'put' ? found.value.toString() : undefined
    },
    check: (key: string) => map.get(positionOf(key), Buffer.from(key))?.check ?? NO_RECORD,
    all: () => new Map([...map.records()].map(({ key, value }) => [key.toString(), value.toString()])),
  }
}

function filesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter(
    name => !statSync(join(path, name)).isDirectory(),
  )
}

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

describe('a killed process', () => {
  /** Enough to fill a bucket, split it, and compact one of the parts. */
  const workload = [
    ...Array.from({ length: 70 }, (_, i) => [`key ${i}`, `value ${i}`] as const),
    ...Array.from({ length: 60 }, (_, i) => ['key 1', `again ${i}`] as const),
  ]

  test.each([0, 0.5, 1])('loses nothing it had set, killed at any call with %d of its write done', partOfAppend => {
    let killAt = 1
    for (; ; killAt++) {
      const path = temporaryDirectory()
      const files = mortalFiles(killAt, partOfAppend)
      const victim = openMap(path, newEnvironment({ files }))
      const model = new Map<string, string>()
      const allowed = new Map<string, string | undefined>()
      let isKilled = false
      for (const [key, value] of workload) {
        try {
          victim.set(key, value)
        } catch (error) {
          if (!(error instanceof Killed)) throw error
          isKilled = true
          allowed.set(key, value)
          break
        }
        model.set(key, value)
      }
      const next = openMap(path)
      for (const [key, value] of model) {
        const got = next.get(key)
        if (got !== allowed.get(key)) expect(got, `killed at call ${killAt}: ${key}`).toBe(value)
      }
      for (let i = 0; i < 90; i++) next.set(`next ${i}`, `value ${i}`)
      const last = openMap(path)
      for (const [key, value] of model) {
        const got = last.get(key)
        if (got !== allowed.get(key)) expect(got, `killed at call ${killAt}, then used: ${key}`).toBe(value)
      }
      for (let i = 0; i < 90; i++) expect(last.get(`next ${i}`)).toBe(`value ${i}`)
      rmSync(path, { recursive: true })
      if (!isKilled) break
    }
    expect(killAt).toBeGreaterThan(workload.length)
  })

  test('while sealing a bucket does not stop a read-only process', () => {
    const count = mortalFiles(-1, 0)
    const filling = openMap(temporaryDirectory(), newEnvironment({ files: count }))
    for (let i = 0; i < 70; i++) filling.set(`key ${i}`, 'value')
    for (let killAt = 1; killAt <= count.calls; killAt++) {
      const path = temporaryDirectory()
      const victim = openMap(path, newEnvironment({ files: mortalFiles(killAt, 0) }))
      let done = 0
      try {
        for (; done < 70; done++) victim.set(`key ${done}`, 'value')
      } catch (error) {
        if (!(error instanceof Killed)) throw error
      }
      const before = filesBelow(path)
      const reader = openMap(path, newEnvironment({ readOnly: true }))
      for (let i = 0; i < done; i++) expect(reader.get(`key ${i}`), `killed at call ${killAt}: key ${i}`).toBe('value')
      expect(filesBelow(path)).toEqual(before)
      rmSync(path, { recursive: true })
    }
  })
})

describe('a bucket whose successors are not built yet', () => {
  const open: typeof nodeFiles.open = (file, mode) => {
    if (file.endsWith('.new')) throw new Killed()
    return nodeFiles.open(file, mode)
  }
  const partsOf = ({ map }: ReturnType<typeof openMap>) => [...map.parts()].map(({ prefix }) => prefix)

  function sealed() {
    const path = temporaryDirectory()
    const victim = openMap(path, newEnvironment({ files: { ...nodeFiles, open } }))
    let count = 0
    const fill = () => {
      for (;;) victim.set(`key ${count++}`, 'value')
    }
    expect(fill).toThrow(Killed)
    return { path, count }
  }

  test('is read as it is, and the next change builds them', () => {
    const { path, count } = sealed()
    const before = filesBelow(path)
    const reader = openMap(path)
    for (let i = 0; i < count; i++) expect(reader.get(`key ${i}`)).toBe('value')
    expect(reader.get('key none')).toBeUndefined()
    expect(reader.all().size).toBe(count)
    expect(partsOf(reader)).toEqual([''])
    expect(filesBelow(path)).toEqual(before)
    const writer = openMap(path)
    writer.set('key 0', 'again')
    for (const { get } of [reader, writer]) expect([get('key 0'), get('key 1')]).toEqual(['again', 'value'])
    for (const each of [reader, writer]) expect(partsOf(each)).toEqual(['0', '1', '2', '3'])
  })

  test('is given them by a gc', () => {
    const { path, count } = sealed()
    const gc = openMap(path)
    gc.map.compactAt(0)
    expect(partsOf(gc)).toEqual(['0', '1', '2', '3'])
    expect(openMap(path).all().size).toBe(count)
  })

  test('goes if it is empty, wherever the process that began to remove it was killed', () => {
    for (let killAt = 1, isKilled = true; isKilled; killAt++) {
      const path = temporaryDirectory()
      const a = openMap(path)
      a.set('key', 'value')
      a.remove('key')
      isKilled = false
      try {
        openMap(path, newEnvironment({ files: mortalFiles(killAt, 1) })).map.removeIfEmpty()
      } catch (error) {
        if (!(error instanceof Killed)) throw error
        isKilled = true
      }
      expect(openMap(path).map.removeIfEmpty(), `killed at call ${killAt}`).toBe(true)
    }
  })
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

describe('buckets without records', () => {
  const KEYS = 100
  const hashes = Array.from({ length: 16 }, (_, i) => i * 2 ** 28)
  const sizes = (path: string) => filesBelow(path).map(name => statSync(join(path, name)).size)

  function emptied(path: string) {
    const a = openMap(path)
    for (let i = 0; i < KEYS; i++) a.set(`key ${i}`, 'value')
    for (let i = 0; i < KEYS; i++) a.remove(`key ${i}`)
    expect(Math.min(...sizes(path))).toBeGreaterThan(100)
    return a
  }

  test('become files without records, in which all processes set and find records', () => {
    const path = temporaryDirectory()
    const [a, b] = [emptied(path), openMap(path)]
    expect(b.get('key 7')).toBeUndefined()
    for (const hash of hashes) a.map.compactAt(hash, () => false)
    expect(sizes(path).length).toBeGreaterThan(2)
    expect(Math.max(...sizes(path))).toBeLessThan(100)
    for (let i = 0; i < KEYS; i++) b.set(`key ${i}`, 'again')
    for (const { get } of [a, b, openMap(path)]) expect(get('key 99')).toBe('again')
    expect(openMap(path).all().size).toBe(KEYS)
  })

  test('lose nothing that is set later, wherever the process that empties them is killed', () => {
    let kills = 0
    for (let isKilled = true; isKilled; kills++) {
      const path = temporaryDirectory()
      emptied(path)
      const dying = openMap(path, newEnvironment({ files: mortalFiles(kills + 1, 0.5) }))
      isKilled = false
      try {
        for (const hash of hashes) dying.map.compactAt(hash, () => false)
      } catch (error) {
        if (!(error instanceof Killed)) throw error
        isKilled = true
      }
      const next = openMap(path)
      expect(next.all().size).toBe(0)
      for (let i = 0; i < KEYS; i += 5) next.set(`key ${i}`, 'again')
      next.map.removeLeftovers()
      expect(openMap(path).all().size, `killed at ${kills}`).toBe(KEYS / 5)
      const prefixes = filesBelow(path).map(name => name.replaceAll(sep, '').replace(/\..*/, ''))
      expect(prefixes, `killed at ${kills}`).toEqual([...new Set(prefixes)])
      rmSync(path, { recursive: true })
    }
    expect(kills).toBeGreaterThan(20)
  })
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

describe('files that a dead process left', () => {
  test('are removed, wherever it was killed, unless they are still needed', () => {
    const refusingRenames = {
      ...nodeFiles,
      rename: () => {
        throw Object.assign(new Error('EPERM: made by a test'), { code: 'EPERM' })
      },
    }
    let spared = 0
    for (let killAt = 1, isKilled = true; isKilled; killAt++) {
      const path = temporaryDirectory()
      const written = new Map<string, string>()
      isKilled = false
      const dying = openMap(path, newEnvironment({ files: mortalFiles(killAt, 1) }))
      try {
        for (let i = 0; i < 120; i++) {
          dying.set(`key ${i}`, `value ${i}`)
          written.set(`key ${i}`, `value ${i}`)
        }
      } catch (error) {
        if (!(error instanceof Killed)) throw error
        isKilled = true
      }
      const candidates = () => filesBelow(path).filter(name => name.endsWith('.new')).length
      const clean = (files = nodeFiles) => {
        const next = openMap(path, newEnvironment({ files }))
        next.map.removeLeftovers()
        for (const [key, value] of written) expect(next.get(key), `killed at ${killAt}: ${key}`).toBe(value)
        next.map.close()
      }
      // Where successors cannot be put in force, their candidates are all that there will be of them.
      clean(refusingRenames)
      spared += candidates()
      clean()
      expect(candidates()).toBe(0)
    }
    expect(spared).toBeGreaterThan(0)
  })
})

test.each<[string, (slow: ReturnType<typeof openMap>) => unknown]>([
  ['set', slow => slow.set('of the slow one', '1')],
  ['rewrite', slow => slow.map.renew(0)],
  ['rewrite without records', slow => slow.map.compactAt(0, () => false)],
])('clears and sets by others during a %s of another process lose nothing', (what, act) => {
  let calls = 0
  for (let at = 1; at <= calls + 1; at++) {
    const path = join(temporaryDirectory(), 'map')
    const first = openMap(path)
    first.set('key', 'one')
    first.remove('key')
    let isArmed = false
    const files = interceptedFiles(call => {
      if (isArmed && ++calls === at) {
        for (const value of ['two', 'three']) {
          openMap(path).map.clear()
          openMap(path).set('key', value)
        }
      }
      return call.proceed()
    })
    const slow = openMap(path, newEnvironment({ files }))
    slow.get('key')
    calls = 0
    isArmed = true
    act(slow)
    isArmed = false
    if (calls >= at) expect([at, openMap(path).get('key')]).toEqual([at, 'three'])
    const isFound = openMap(path).get('of the slow one') === '1'
    // Where it is not, its bucket was cleared after it had been set, and before the call returned.
    if (what === 'set' && calls < at) expect(isFound).toBe(true)
  }
  expect(calls).toBeGreaterThan(1)
})
