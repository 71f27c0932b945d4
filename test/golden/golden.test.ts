import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { CacheHandle } from '../../src/cache/cache.js'
import { type FileStat, nodeFiles } from '../../src/files/files.js'
import { temporaryDirectory } from '../store/environment.js'
import { filesBelow } from '../support/caches.js'
import { COMPUTED, CREATED_AT, CYCLIC, computedBy, fill, LARGE_COUNT, PROJECT, TREES, VALUES } from './store.js'

const GOLDEN = join(import.meta.dirname, '..', '..', 'fixtures', 'golden', 'format-2')
/** `WICKED_CACHE_WRITE_GOLDEN=1 npx vitest run test/golden` writes the store where there is none. */
const MAY_WRITE = process.env.WICKED_CACHE_WRITE_GOLDEN === '1'

// What a computation leaves names its process and how long it took.
vi.spyOn(Math, 'random').mockReturnValue(0.5)
vi.spyOn(performance, 'now').mockReturnValue(1000)
vi.spyOn(process, 'uptime').mockReturnValue(1)
vi.spyOn(process.getBuiltinModule('node:os'), 'hostname').mockReturnValue('golden')
Object.defineProperty(process, 'pid', { value: 4711 })

function withInode<S extends FileStat | undefined>(stat: S): S {
  return stat && { ...stat, inode: 1 }
}

function open(dir: string, readOnly = false) {
  const onWarning = ({ cause }: { cause?: unknown }) => {
    throw cause
  }
  const { fstat, stat, linkStat } = nodeFiles
  const files = {
    ...nodeFiles,
    now: () => CREATED_AT,
    // The store names the inode of its own directory.
    fstat: (fd: number) => withInode(fstat(fd)),
    stat: (path: string) => withInode(stat(path)),
    linkStat: (path: string) => withInode(linkStat(path)),
  }
  const mode = readOnly ? 'readonly' : 'readwrite'
  return new CacheHandle({ dir, mode, clock: () => CREATED_AT, onWarning }, { files, random: () => 0.5 })
}

if (MAY_WRITE && !existsSync(GOLDEN)) {
  const cache = open(GOLDEN)
  fill(cache)
  cache.close()
}

test('every value of the golden store is read', () => {
  const before = filesBelow(GOLDEN).map(name => readFileSync(join(GOLDEN, name)))
  const cache = open(GOLDEN, true)
  const values = cache.namespace('values', { version: '1.0.0', project: PROJECT })
  for (const [key, value] of Object.entries(VALUES)) expect(values.get(key), key).toStrictEqual(value)
  expect(Object.is((values.get('odd') as { minusZero: number }).minusZero, -0)).toBe(true)
  expect(cache.namespace('twin', { project: false }).get('text')).toBe(VALUES.text)
  const modes = cache.namespace('@scope/Modes', { project: PROJECT })
  expect(modes.getMany(['ttl', 'file', 'gone'])).toEqual(['an hour', 'no config', undefined])
  expect(modes.explain('gone').reason).toBe('deleted')
  expect(modes.in(`${PROJECT}/packages/a`).get('ttl')).toBe('of another project')
  expect(computedBy(cache, () => expect.fail('computed again'))).toEqual(COMPUTED)
  expect(cache.namespace('cyclic', { cyclic: true, project: false }).get('cycle')).toEqual(CYCLIC)
  const large = cache.namespace('large', { project: false })
  for (let i = 0; i < LARGE_COUNT; i++) expect(large.get(`key ${i}`)).toBe(`value ${i % 10}`)
  const trees = cache.namespace('trees', { cyclic: true, project: false })
  for (const [key, tree] of Object.entries(TREES)) expect(trees.get(key), key).toStrictEqual(tree)
  expect(cache.namespaces()).toEqual([
    '@scope/Modes',
    'computed',
    'cyclic',
    'large',
    'portable',
    'trees',
    'twin',
    'values',
  ])
  cache.close()
  expect(filesBelow(GOLDEN).map(name => readFileSync(join(GOLDEN, name)))).toEqual(before)
})

test('the golden store can be written to and collected', async () => {
  const dir = join(temporaryDirectory(), 'root')
  cpSync(GOLDEN, dir, { recursive: true })
  const cache = open(dir)
  expect(cache.namespace('large', { project: false }).set('key 5', 'another')).toBe(true)
  await cache.gc()
  expect(cache.namespace('large', { project: false }).get('key 5')).toBe('another')
  expect(cache.namespace('large', { project: false }).get('key 6')).toBe('value 6')
  expect(cache.namespace('values', { version: '1.0.0', project: PROJECT }).get('big')).toBe(VALUES.big)
})

test('the same sets still write the same bytes', () => {
  const dir = join(temporaryDirectory(), 'root')
  const cache = open(dir)
  fill(cache)
  cache.close()
  expect(filesBelow(dir)).toEqual(filesBelow(GOLDEN))
  for (const name of filesBelow(GOLDEN)) {
    expect(readFileSync(join(dir, name)).equals(readFileSync(join(GOLDEN, name))), name).toBe(true)
  }
})
