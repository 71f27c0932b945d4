// A removed namespace leaves no files, however large it was, even if others write to it at that moment.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Environment } from '../../src/log/environment.js'
import { LogMap } from '../../src/log-map/log-map.js'
import { changeOf } from '../../src/log-map/record.js'
import { filesBelow, openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { Killed, mortalFiles, newEnvironment, temporaryDirectory } from './environment.js'

/** Small, so that a few dozen records make it split. */
const BUCKET_BYTES = 2048
const KEYS = Array.from({ length: 200 }, (_, n) => `key ${n}`)

/** Far apart, and in all parts of a map that was split. */
const positionOf = (key: string) => ({ hash: Math.imul(Number(key.slice(4)), 2654435761) >>> 0, tag: key.length })

function openMap(path: string, environment: Environment = newEnvironment()) {
  const map = new LogMap(environment, path, 'some/map', key => positionOf(key.toString()), BUCKET_BYTES)
  const bytes = (key: string) => Buffer.from(key)
  return {
    map,
    set: (...keys: string[]) => map.write(keys.map(key => changeOf('put', positionOf(key), bytes(key), bytes(key)))),
    get: (key: string) => {
      environment.tick.end()
      const found = map.get(positionOf(key), bytes(key))
      return found?.kind === 'put' ? found.value.toString() : undefined
    },
  }
}

function emptiedMap(): string {
  const path = join(temporaryDirectory(), 'map')
  const { map, set } = openMap(path)
  set(...KEYS)
  expect(filesBelow(path).length).toBeGreaterThanOrEqual(4)
  map.clear()
  return path
}

test('a split map leaves no file, and can be filled again', () => {
  const path = emptiedMap()
  const other = openMap(path)
  expect(other.get('key 7')).toBeUndefined()
  openMap(path).map.removeIfEmpty()
  expect(filesBelow(path)).toEqual([])
  expect(other.set('key 7')).toEqual([true])
  openMap(path).set(...KEYS.slice(8))
  for (const reader of [other, openMap(path)]) {
    expect(KEYS.filter(key => reader.get(key) === undefined)).toEqual(KEYS.slice(0, 7))
  }
})

test('buckets with records are kept', () => {
  const path = emptiedMap()
  openMap(path).set('key 3', 'key 100')
  const { map, get } = openMap(path)
  expect(map.removeIfEmpty()).toBe(false)
  expect(filesBelow(path).length).toBeLessThanOrEqual(2)
  expect([get('key 3'), get('key 100'), get('key 4')]).toEqual(['key 3', 'key 100', undefined])
})

test.each([1, 2, 3, 5, 7])('sets of others after every call (%d) of a removal are not lost', every => {
  const path = emptiedMap()
  const writers = [openMap(path), openMap(path)]
  for (const { get } of writers) get('key 1')
  const set: string[] = []
  let callCount = 0
  const files = interceptedFiles(call => {
    const result = call.proceed()
    if (++callCount % every > 0) return result
    const key = `key ${(callCount * 37) % KEYS.length}`
    expect(writers[callCount % 2]?.set(key)).toEqual([true])
    set.push(key)
    return result
  })
  openMap(path, newEnvironment({ files })).map.removeIfEmpty()
  expect(set.length).toBeGreaterThan(28 / every)
  for (const reader of [...writers, openMap(path)]) expect(set.filter(key => reader.get(key) !== key)).toEqual([])
})

test('a removal that is killed at any call leaves a usable map', () => {
  for (let killAt = 1, isDone = false; !isDone; killAt += 7) {
    const path = emptiedMap()
    const { map } = openMap(path, newEnvironment({ files: mortalFiles(killAt, 0.5) }))
    try {
      map.removeIfEmpty()
      isDone = true
    } catch (error) {
      if (!(error instanceof Killed)) throw error
    }
    const { set, get } = openMap(path)
    set(...KEYS)
    expect(KEYS.filter(key => get(key) !== key)).toEqual([])
  }
})

test('a split namespace leaves no file, and a gc removes the files of one that was set to meanwhile', async () => {
  const root = temporaryRoot()
  const { cache } = openAsAnotherProcess(root)
  const ns = cache.namespace('large', { project: false })
  // So large that its buckets lie in directories.
  ns.setMany(Array.from({ length: 7000 }, (_, n) => ({ key: `${'k'.repeat(1200)} ${n}`, value: n })))
  const filesOf = () => filesBelow(root).filter(name => name.startsWith(join('v2', 'namespaces', 'large')))
  expect(filesOf().length).toBeGreaterThan(64)
  expect(cache.removeNamespace('large')).toBe(7000)
  expect([filesOf(), cache.namespaces()]).toEqual([[], []])
  expect([ns.set('key', 1), ns.get('key'), cache.namespaces()]).toEqual([true, 1, ['large']])
  expect((await cache.verify()).problems).toEqual([])
  expect(cache.removeNamespace('large')).toBe(1)
  await cache.gc()
  expect([filesOf(), existsSync(join(root, 'v2'))]).toEqual([[], true])
  expect((await cache.verify()).problems).toEqual([])
})
