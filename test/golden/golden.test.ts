import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CacheHandle } from '../../src/cache/cache.js'
import { temporaryDirectory } from '../store/environment.js'
import { CREATED_AT, CYCLIC, fill, LARGE_COUNT, TREES, VALUES } from './store.js'

const GOLDEN = join(import.meta.dirname, '..', '..', 'fixtures', 'golden', 'format-1')
/** `WICKED_CACHE_WRITE_GOLDEN=1 npx vitest run test/golden` writes the store where there is none. */
const MAY_WRITE = process.env.WICKED_CACHE_WRITE_GOLDEN === '1'

function open(dir: string, readOnly = false) {
  const onWarning = ({ cause }: { cause?: unknown }) => {
    throw cause
  }
  return new CacheHandle({ dir, readOnly, clock: () => CREATED_AT, onWarning }, { random: () => 0.5 })
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(name => statSync(join(directory, name)).isFile())
    .sort()
}

if (MAY_WRITE && !existsSync(GOLDEN)) {
  const cache = open(GOLDEN)
  fill(cache, '/nowhere')
  cache.close()
}

test('every value of the golden store is read', () => {
  const before = filesBelow(GOLDEN).map(name => readFileSync(join(GOLDEN, name)))
  const cache = open(GOLDEN, true)
  const values = cache.namespace('values', { version: '1.0.0' })
  for (const [key, value] of Object.entries(VALUES)) expect(values.get(key), key).toStrictEqual(value)
  expect(Object.is((values.get('odd') as { minusZero: number }).minusZero, -0)).toBe(true)
  expect(cache.namespace('twin').get('text')).toBe(VALUES.text)
  expect(cache.namespace('@scope/Modes').get('ttl')).toBe('an hour')
  expect(cache.namespace('@scope/Modes', { base: temporaryDirectory() }).get('file')).toBe('no config')
  expect(cache.namespace('@scope/Modes').get('gone')).toBeUndefined()
  expect(cache.namespace('cyclic', { cyclic: true }).get('cycle')).toEqual(CYCLIC)
  const large = cache.namespace('large')
  for (let i = 0; i < LARGE_COUNT; i++) expect(large.get(`key ${i}`)).toBe(`value ${i % 10}`)
  const trees = cache.namespace('trees', { cyclic: true })
  for (const [key, tree] of Object.entries(TREES)) expect(trees.get(key), key).toStrictEqual(tree)
  expect(cache.namespaces()).toEqual(['@scope/Modes', 'cyclic', 'large', 'trees', 'twin', 'values'])
  cache.close()
  expect(filesBelow(GOLDEN).map(name => readFileSync(join(GOLDEN, name)))).toEqual(before)
})

test('it can be written to and collected', async () => {
  const dir = join(temporaryDirectory(), 'root')
  cpSync(GOLDEN, dir, { recursive: true })
  const cache = open(dir)
  expect(cache.namespace('large').set('key 5', 'another')).toBe(true)
  await cache.gc()
  expect(cache.namespace('large').get('key 5')).toBe('another')
  expect(cache.namespace('large').get('key 6')).toBe('value 6')
  expect(cache.namespace('values', { version: '1.0.0' }).get('big')).toBe(VALUES.big)
})

test('the same sets still write the same bytes', () => {
  const dir = join(temporaryDirectory(), 'root')
  const cache = open(dir)
  fill(cache, '/nowhere')
  cache.close()
  expect(filesBelow(dir)).toEqual(filesBelow(GOLDEN))
  for (const name of filesBelow(GOLDEN)) {
    expect(readFileSync(join(dir, name)).equals(readFileSync(join(GOLDEN, name))), name).toBe(true)
  }
})
