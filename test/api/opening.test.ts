import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { type CacheOptions, defaultDir, openCache, openCacheSync } from '../../src/index.js'
import {
  errorOf,
  filesBelow,
  nextTurn,
  openAsAnotherProcess,
  openIn,
  temporaryDirectory,
  temporaryRoot,
} from '../support/caches.js'
import { meteredFiles } from '../support/files.js'

describe('opening', () => {
  test('writes nothing: the first write creates the directory', () => {
    const dir = join(temporaryDirectory(), 'deep', 'down', 'cache')
    const { cache, warnings } = openIn(dir)
    const entries = cache.namespace('tool')
    expect([entries.get('key'), entries.has('key'), entries.delete('key'), entries.clear()]).toEqual([
      undefined,
      false,
      false,
      0,
    ])
    expect([cache.namespaces(), [...entries.keys()], cache.stats().diskBytes]).toEqual([[], [], 0])
    expect(entries.set('key', 1)).toBe(true)
    expect(cache.namespaces()).toEqual(['tool'])
    expect(warnings).toEqual([])
  })

  test('resolves a relative path against the working directory once', () => {
    const { cache } = openIn('some/where')
    expect(cache.dir).toBe(join(process.cwd(), 'some', 'where'))
    expect(existsSync(cache.dir)).toBe(false)
  })

  test('tags the root as a cache directory that only its user can access', () => {
    const dir = temporaryRoot()
    openIn(dir).cache.namespace('tool').set('key', 1)
    expect(readFileSync(join(dir, 'CACHEDIR.TAG'), 'utf8')).toMatch(/^Signature: 8a477f597d28d172789f06886806bc55\n/)
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    for (const file of filesBelow(dir)) expect([file, statSync(join(dir, file)).mode & 0o777]).toEqual([file, 0o600])
  })

  test('opens the same cache with openCache and openCacheSync', async () => {
    const dir = temporaryRoot()
    const first = await openCache({ dir })
    const second = openCacheSync({ dir })
    first.namespace('tool').set('key', 1)
    expect(second.namespace('tool').get('key')).toBe(1)
    for (const cache of [first, second]) cache.close()
  })

  test.each<[string, CacheOptions, unknown]>([
    ['an empty dir', { dir: '' }, ''],
    ['a dir with NUL', { dir: 'a\0b' }, 'a\0b'],
    ['a dir that is not a string', { dir: 5 as never }, 5],
    ['an unknown mode', { mode: 'read' as never }, 'read'],
    ['an unknown option', { readOnly: true } as never, 'readOnly'],
    ['a trustRoot that is not a boolean', { trustRoot: 'yes' as never }, 'yes'],
    ['a clock that is not a function', { clock: 5 as never }, 5],
    ['an onWarning that is not a function', { onWarning: {} as never }, {}],
  ])('rejects %s', async (_what, options, value) => {
    expect(errorOf(() => openCacheSync(options))).toMatchObject({ code: 'ERR_CACHE_OPTION', value })
    await expect(openCache(options)).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION', value })
  })

  test.each<[string, unknown]>([
    ['null', null],
    ['a string', 'dir'],
  ])('throws an option error for %s instead of options', (_what, options) => {
    expect(errorOf(() => openCacheSync(options as never)).code).toBe('ERR_CACHE_OPTION')
  })

  test.each<[string, unknown]>([
    ['null', null],
    ['a string', '1.0'],
    ['an invalid cyclic', { cyclic: 'yes' }],
    ['an invalid classInstances', { classInstances: 'keep' }],
  ])('a namespace rejects options that are %s', (_what, options) => {
    const { cache } = openIn(temporaryRoot())
    expect(errorOf(() => cache.namespace('tool', options as never)).code).toBe('ERR_CACHE_OPTION')
  })
})

describe('the default directory', () => {
  test('comes from the environment, else from the platform', () => {
    expect(defaultDir({ WICKED_CACHE_DIR: '/x' }, 'linux')).toBe('/x')
    expect(defaultDir({ XDG_CACHE_HOME: '/xdg' }, 'linux')).toBe(join('/xdg', 'wicked-cache'))
    expect(defaultDir({ WICKED_CACHE_DIR: '', XDG_CACHE_HOME: '' }, 'linux')).toMatch(/\.cache.wicked-cache$/)
    expect(defaultDir({}, 'darwin')).toMatch(/Library.Caches.wicked-cache$/)
    expect(defaultDir({ LOCALAPPDATA: 'C:\\L' }, 'win32')).toBe(join('C:\\L', 'wicked-cache', 'Cache'))
  })

  test.each([{ XDG_CACHE_HOME: 'cache' }, { XDG_CACHE_HOME: './cache' }, { HOME: '' }, { HOME: 'home' }])(
    'is never below the working directory, where a repository could supply it: %j',
    given => {
      for (const name of ['XDG_CACHE_HOME', 'WICKED_CACHE_DIR']) vi.stubEnv(name, undefined)
      for (const [name, value] of Object.entries(given)) vi.stubEnv(name, value)
      for (const platform of ['linux', 'darwin', 'win32'] as const) {
        expect(isAbsolute(defaultDir(process.env, platform)), platform).toBe(true)
      }
      vi.unstubAllEnvs()
    },
  )

  test('can begin with a tilde', () => {
    expect(defaultDir({ WICKED_CACHE_DIR: '~/c' }, 'linux')).toBe(join(homedir(), 'c'))
  })

  test('is shared by all calls of namespace() in the process', async () => {
    const dir = temporaryRoot()
    vi.stubEnv('WICKED_CACHE_DIR', dir)
    vi.resetModules()
    const { namespace } = await import('../../src/index.js')
    const first = await namespace('tool', { version: '1' })
    const second = await namespace('tool', { version: '1' })
    expect(first.set('key', 1)).toBe(true)
    expect(second.get('key')).toBe(1)
    expect(existsSync(join(dir, 'v2'))).toBe(true)
    await expect(namespace('')).rejects.toMatchObject({ code: 'ERR_CACHE_NAMESPACE' })
    vi.unstubAllEnvs()
  })
})

describe('a read-only cache', () => {
  test('reads, stores nothing and gives no warning', async () => {
    const dir = temporaryRoot()
    const writer = openIn(dir)
    writer.cache.namespace('tool').set('key', 1)
    writer.cache.close()
    const before = filesBelow(dir).map(file => [file, readFileSync(join(dir, file)).toString('latin1')])
    const { cache, warnings } = openIn(dir, { mode: 'readonly' })
    const entries = cache.namespace('tool')
    expect(cache.mode).toBe('readonly')
    expect([entries.get('key'), entries.get('other')]).toEqual([1, undefined])
    expect([entries.set('key', 2), entries.setMany([{ key: 'a', value: 1 }])]).toEqual([false, 0])
    expect([entries.delete('key'), entries.invalidate('key'), entries.clear()]).toEqual([false, false, 0])
    expect(cache.stats()).toMatchObject({ entryCount: 1 })
    await expect(cache.gc()).rejects.toMatchObject({ code: 'ERR_CACHE_OPTION' })
    cache.close()
    expect(filesBelow(dir).map(file => [file, readFileSync(join(dir, file)).toString('latin1')])).toEqual(before)
    expect(warnings).toEqual([])
  })

  test('still throws for invalid arguments', () => {
    const { cache } = openIn(temporaryRoot(), { mode: 'readonly' })
    expect(errorOf(() => cache.namespace('tool').set('key', () => 1)).code).toBe('ERR_CACHE_VALUE')
    expect(errorOf(() => cache.namespace('tool').set('', 1)).code).toBe('ERR_CACHE_KEY')
  })

  test('of a missing directory is empty and creates nothing', () => {
    const dir = temporaryRoot()
    const { cache, warnings } = openIn(dir, { mode: 'readonly' })
    expect([cache.namespace('tool').get('key'), cache.namespaces()]).toEqual([undefined, []])
    cache.close()
    expect([existsSync(dir), warnings]).toEqual([false, []])
  })

  test('sees what a writer in the same process sets, from the next tick on', async () => {
    const dir = temporaryRoot()
    const writer = openIn(dir).cache.namespace('tool')
    const reader = openIn(dir, { mode: 'readonly' }).cache.namespace('tool')
    expect(reader.get('key')).toBe(undefined)
    writer.set('key', 1)
    await nextTurn()
    expect(reader.get('key')).toBe(1)
  })
})

describe('several caches on one root in one process', () => {
  test("see each other's sets, deletes and clears at once", () => {
    const dir = temporaryRoot()
    const [a, b] = [openIn(dir).cache.namespace('tool'), openIn(dir).cache.namespace('tool')]
    expect(b.get('key')).toBe(undefined)
    a.set('key', 1)
    expect(b.get('key')).toBe(1)
    b.set('key', 2)
    expect(a.get('key')).toBe(2)
    a.delete('key')
    expect(b.get('key')).toBe(undefined)
    b.set('key', 3)
    a.clear()
    expect([...b.keys()]).toEqual([])
  })

  test('see their own sets when another process wrote first', () => {
    const dir = temporaryRoot()
    const [own, other] = [openIn(dir).cache.namespace('tool'), openAsAnotherProcess(dir).cache.namespace('tool')]
    expect(own.get('key')).toBe(undefined)
    expect(other.set('other', 1)).toBe(true)
    expect(own.set('key', 2)).toBe(true)
    expect([own.get('key'), own.has('key'), [...own.keys()].includes('key')]).toEqual([2, true, true])
  })

  test('each use their own clock and onWarning', () => {
    const dir = temporaryRoot()
    const a = openIn(dir, { clock: () => 1000 })
    const b = openIn(dir, { clock: () => 9000 })
    a.cache.namespace('tool').set('key', 1, { ttl: 5000 })
    expect(a.cache.namespace('tool').get('key')).toBe(1)
    expect(b.cache.namespace('tool').get('key')).toBe(undefined)
  })

  test('share one count', () => {
    const dir = temporaryRoot()
    const [a, b] = [openIn(dir).cache, openIn(dir).cache]
    a.namespace('tool').set('key', 1)
    b.namespace('tool').get('key')
    a.namespace('tool').get('key')
    expect(a.stats().namespaces.tool).toMatchObject({ setCount: 1, hitCount: 2 })
    a.close()
    b.close()
    expect(openIn(dir).cache.stats()).toMatchObject({ setCount: 1, hitCount: 2, missCount: 0 })
  })

  test('can be closed one by one', () => {
    const dir = temporaryRoot()
    const [a, b] = [openIn(dir), openIn(dir)]
    a.cache.namespace('tool').set('key', 1)
    a.cache.close()
    expect(b.cache.namespace('tool').get('key')).toBe(1)
    expect(b.cache.namespace('tool').set('key', 2)).toBe(true)
    const c = openIn(dir).cache.namespace('tool')
    expect(c.get('key')).toBe(2)
    b.cache.namespace('tool').set('key', 3)
    expect(c.get('key')).toBe(3)
    b.cache.namespace('tool').set('key', 2)
    b.cache.close()
    expect(openIn(dir).cache.namespace('tool').get('key')).toBe(2)
  })

  test('opened through a symbolic link see each other from the next tick on', async () => {
    const root = temporaryDirectory()
    mkdirSync(join(root, 'cache'))
    symlinkSync('cache', join(root, 'link'))
    const a = openIn(join(root, 'cache')).cache.namespace('tool')
    const b = openIn(join(root, 'link')).cache.namespace('tool')
    for (let round = 0; round < 5; round++) {
      a.set('key', round)
      await nextTurn()
      expect(b.get('key')).toBe(round)
      b.set('key', -round)
      await nextTurn()
      expect(a.get('key')).toBe(-round)
    }
  })

  test('add one exit listener to the process', () => {
    const before = process.listenerCount('exit')
    for (let index = 0; index < 20; index++) openIn(temporaryRoot()).cache.namespace('tool').set('key', 1)
    expect(process.listenerCount('exit') - before).toBeLessThanOrEqual(1)
  })
})

describe('close', () => {
  test('makes every later call throw, except another close', async () => {
    const { cache } = openIn(temporaryRoot())
    const entries = cache.namespace('tool')
    entries.set('key', 1)
    cache.close()
    const calls = [
      () => cache.namespace('tool'),
      () => cache.namespaces(),
      () => cache.stats(),
      () => entries.set('key', 1),
      () => entries.get('key'),
      () => entries.has('key'),
      () => entries.delete('key'),
      () => entries.invalidate('key'),
      () => entries.clear(),
      () => entries.getMany(['key']),
      () => entries.setMany([{ key: 'key', value: 1 }]),
      () => [...entries.keys()],
      () => [...entries.entries()],
      () => entries.find('key'),
      () => entries.stats(),
    ]
    for (const call of calls) expect(errorOf(call).code).toBe('ERR_CACHE_CLOSED')
    await expect(cache.gc()).rejects.toMatchObject({ code: 'ERR_CACHE_CLOSED' })
    expect(() => cache.close()).not.toThrow()
  })

  test('closes every file it opened', () => {
    const open = new Set<number>()
    const { files } = meteredFiles()
    const counted = {
      ...files,
      open: (path: string, mode: 'read' | 'append' | 'create') => {
        const fd = files.open(path, mode)
        open.add(fd)
        return fd
      },
      close: (fd: number) => {
        open.delete(fd)
        files.close(fd)
      },
    }
    const { cache } = openAsAnotherProcess(temporaryRoot(), {}, { files: counted })
    for (const name of ['a', 'b']) {
      const entries = cache.namespace(name)
      entries.setMany(Array.from({ length: 1500 }, (_, index) => ({ key: `${index}`, value: { name, index } })))
      for (const key of entries.keys()) entries.get(key)
    }
    cache.stats()
    expect(open.size).toBeGreaterThan(0)
    expect(open.size).toBeLessThanOrEqual(64)
    cache.close()
    expect(open.size).toBe(0)
  })

  test('ends a running listing with an error', () => {
    const { cache } = openIn(temporaryRoot())
    const entries = cache.namespace('tool')
    entries.setMany(Array.from({ length: 3000 }, (_, index) => ({ key: `key ${index}`, value: index })))
    const listing = entries.keys()
    listing.next()
    cache.close()
    const rest = () => {
      let count = 1
      for (const _key of listing) count++
      return count
    }
    let outcome: unknown
    try {
      outcome = rest()
    } catch (error) {
      outcome = (error as { code?: string }).code
    }
    expect([3000, 'ERR_CACHE_CLOSED']).toContain(outcome)
  })
})
