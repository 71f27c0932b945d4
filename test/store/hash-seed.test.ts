import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Descriptors } from '../../src/files/descriptors.js'
import { nodeFiles } from '../../src/files/files.js'
import { HashSeed } from '../../src/log/hash-seed.js'
import { LogMap } from '../../src/log-map/log-map.js'
import { changeOf, hashedPosition } from '../../src/log-map/record.js'
import { openAsAnotherProcess } from '../support/caches.js'
import { newEnvironment, temporaryDirectory } from './environment.js'

const seedAt = (path: string, random: number) => new HashSeed(nodeFiles, new Descriptors(nodeFiles), path, () => random)

/** A process with a map in the directory; its own seed is the number. */
function openMap(dir: string, random: number) {
  const environment = newEnvironment({ hashSeed: seedAt(join(dir, 'seed'), random) })
  const map = new LogMap(environment, join(dir, 'map'), 'map', key => hashedPosition(environment, key))
  const at = (text: string) => ({ key: Buffer.from(text), position: hashedPosition(environment, Buffer.from(text)) })
  return {
    environment,
    at,
    set({ key, position } = at('key'), value = 'value') {
      map.write([changeOf('put', position, key, Buffer.from(value))])
    },
    get({ key, position } = at('key')) {
      return map.get(position, key)?.value.toString()
    },
  }
}

test('all processes use the first seed in the file, even those that had drawn another', () => {
  const path = join(temporaryDirectory(), 'seed')
  const [one, two] = [seedAt(path, 0.25), seedAt(path, 0.5)]
  expect([one.current(), two.current(), existsSync(path)]).toEqual([0.25 * 2 ** 32, 0.5 * 2 ** 32, false])
  two.establish()
  one.establish()
  expect([one.current(), two.current(), seedAt(path, 0.75).current()]).toEqual(Array(3).fill(0.5 * 2 ** 32))
  expect([one.changeCount, two.changeCount]).toEqual([1, 0])
  expect(readFileSync(path).length).toBe(8)
})

test('a truncated or damaged seed is skipped', () => {
  const path = join(temporaryDirectory(), 'seed')
  seedAt(path, 0.25).establish()
  const whole = readFileSync(path)
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] as number) ^ 0x10
    for (const bytes of [whole.subarray(0, at), damaged]) {
      writeFileSync(path, bytes)
      expect(seedAt(path, 0.5).isEstablished).toBe(false)
      seedAt(path, 0.5).establish()
      expect(seedAt(path, 0.75).current()).toBe(0.5 * 2 ** 32)
    }
  }
})

test.each([
  ['there was no file', false, false],
  ['the first file was empty', true, false],
  ['the file had been read in the same tick', true, true],
])('a record hashed before the seed was known is found by other processes, though %s', (_what, hasFile, isRead) => {
  const dir = temporaryDirectory()
  const late = openMap(dir, 0.5)
  const key = late.at('key')
  if (hasFile) {
    mkdirSync(join(dir, 'map'))
    writeFileSync(join(dir, 'map', '_.0'), '')
  }
  if (isRead) expect(late.get(key)).toBeUndefined()
  seedAt(join(dir, 'seed'), 0.25).establish()
  late.set(key)
  expect([late.get(key), late.get(), openMap(dir, 0.75).get()]).toEqual(['value', 'value', 'value'])
})

test('a process whose cache is deleted and created again uses the new seed', () => {
  const dir = temporaryDirectory()
  const old = openMap(dir, 0.25)
  const key = old.at('key')
  old.set(key, 'old')
  rmSync(join(dir, 'map'), { recursive: true })
  rmSync(join(dir, 'seed'))
  const other = openMap(dir, 0.5)
  other.set(undefined, 'new')
  old.environment.tick.end()
  expect([old.get(key), old.get()]).toEqual(['new', 'new'])
  old.set(old.at('another'))
  expect(other.get(other.at('another'))).toBe('value')
})

test('a lost seed is recovered from the logs', () => {
  const dir = join(temporaryDirectory(), 'cache')
  const first = openAsAnotherProcess(dir).cache
  for (let i = 0; i < 2000; i++) first.namespace('tool').set(`key ${i}`, i)
  first.close()
  rmSync(join(dir, 'v2', 'seed'))
  const { cache } = openAsAnotherProcess(dir)
  for (let i = 0; i < 2000; i += 100) expect(cache.namespace('tool').get(`key ${i}`)).toBe(i)
  cache.namespace('new').set('key', 'new')
  cache.close()
  const other = openAsAnotherProcess(dir).cache
  expect([other.namespace('tool').get('key 7'), other.namespace('new').get('key')]).toEqual([7, 'new'])
})
