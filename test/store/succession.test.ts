import { rmSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodeFiles } from '../../src/files/files.js'
import { filesBelow } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { Killed, mortalFiles, newEnvironment, temporaryDirectory } from './environment.js'
import { openMap } from './text-map.js'

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
