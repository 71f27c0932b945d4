// Whether a root is trusted depends on its present state, not on its state when the cache was opened.

import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type FileStat, type Files, nodeFiles } from '../../src/files/files.js'
import {
  filesBelow,
  nextTurn,
  openAsAnotherProcess,
  openIn,
  temporaryDirectory,
  temporaryRoot,
} from '../support/caches.js'
import { runModule } from '../support/children.js'

const isSuperuser = process.getuid?.() === 0
const USER = { id: 1000, group: 1000 }

/** The real disk, on which these paths have other owners and modes, and all else is the user's. */
function filesOf(changed: Map<string, Partial<FileStat>>): Files {
  const stated = (path: string, stat: FileStat | undefined) =>
    stat && { ...stat, owner: USER.id, group: USER.group, mode: 0o700, ...changed.get(path) }
  return {
    ...nodeFiles,
    // What a link leads to is the user's.
    stat: path => stated(nodeFiles.linkStat(path)?.kind === 'other' ? '' : path, nodeFiles.stat(path)),
    linkStat: path => stated(path, nodeFiles.linkStat(path)),
  }
}

describe('a root that is replaced by another root of the same user', () => {
  test('after a move to the trash, is used from the next tick on, for sets and gets', async () => {
    const dir = temporaryRoot()
    const { cache, warnings } = openIn(dir)
    const ns = cache.namespace('tool')
    ns.set('key', 'old')
    expect(ns.get('key')).toBe('old')
    await nextTurn()
    renameSync(dir, `${dir} trash`)
    const trash = filesBelow(`${dir} trash`).map(name => statSync(join(`${dir} trash`, name)).size)
    const other = openAsAnotherProcess(dir).cache.namespace('tool')
    other.set('key', 'new')
    await nextTurn()
    expect(ns.get('key')).toBe('new')
    expect(ns.set('mine', 1)).toBe(true)
    await nextTurn()
    expect(other.get('mine')).toBe(1)
    expect(filesBelow(`${dir} trash`).map(name => statSync(join(`${dir} trash`, name)).size)).toEqual(trash)
    expect(warnings).toEqual([])
  })

  test('is created again if nothing took its place', async () => {
    const dir = temporaryRoot()
    const ns = openIn(dir).cache.namespace('tool')
    ns.set('key', 'old')
    await nextTurn()
    renameSync(dir, `${dir} trash`)
    await nextTurn()
    expect(ns.get('key')).toBe(undefined)
    expect(ns.set('key', 'new')).toBe(true)
    expect(openAsAnotherProcess(dir).cache.namespace('tool').get('key')).toBe('new')
  })

  test('by switching a link, is used from the next tick on', async () => {
    const directory = temporaryDirectory()
    const link = join(directory, 'current')
    for (const name of ['one', 'two']) {
      openAsAnotherProcess(join(directory, name)).cache.namespace('tool').set('key', name)
    }
    symlinkSync('one', link)
    const ns = openIn(link).cache.namespace('tool')
    expect(ns.get('key')).toBe('one')
    await nextTurn()
    unlinkSync(link)
    symlinkSync('two', link)
    await nextTurn()
    expect(ns.get('key')).toBe('two')
  })

  test('during a gc, stops the gc and loses nothing', async () => {
    const dir = temporaryRoot()
    const { cache } = openAsAnotherProcess(dir)
    const fill = (to: typeof cache, text: string) => {
      for (let i = 0; i < 50; i++) to.namespace('tool').set(`key ${i}`, `${text} ${i}`)
      for (let i = 0; i < 50; i += 2) to.namespace('tool').delete(`key ${i}`)
    }
    for (let stopAt = 0, isOver = false; !isOver; stopAt++) {
      fill(cache, 'old')
      await nextTurn()
      let steps = 0
      let spare: ReturnType<typeof openAsAnotherProcess> | undefined
      const onProgress = () => {
        if (steps++ !== stopAt) return
        renameSync(dir, `${dir} ${stopAt}`)
        spare = openAsAnotherProcess(dir)
        fill(spare.cache, 'new')
      }
      const ended = await cache.gc({ onProgress }).then(
        () => undefined,
        error => error.code,
      )
      isOver = steps <= stopAt
      if (!spare) break
      expect([undefined, 'ERR_CACHE_ROOT']).toContain(ended)
      const found = openAsAnotherProcess(dir).cache
      for (let i = 1; i < 50; i += 2) expect(found.namespace('tool').get(`key ${i}`), `at ${stopAt}`).toBe(`new ${i}`)
      expect((await found.verify()).problems).toEqual([])
    }
  })
})

describe('a root that another user takes over', () => {
  test('is neither read nor written from the next tick on, and is used again once returned', async () => {
    const dir = temporaryRoot()
    const owners = new Map<string, Partial<FileStat>>()
    const { cache, warnings } = openAsAnotherProcess(dir, {}, { files: filesOf(owners), user: USER })
    const ns = cache.namespace('tool')
    expect([ns.set('key', 'mine'), ns.get('key')]).toEqual([true, 'mine'])
    await nextTurn()
    owners.set(dir, { owner: 1001 })
    await nextTurn()
    expect([ns.get('key'), ns.set('key', 'theirs'), cache.namespaces()]).toEqual([undefined, false, []])
    await expect(cache.gc()).rejects.toMatchObject({ code: 'ERR_CACHE_ROOT' })
    await expect(cache.verify()).rejects.toMatchObject({ code: 'ERR_CACHE_ROOT' })
    expect(warnings).toMatchObject([{ code: 'ERR_CACHE_ROOT', message: expect.stringContaining('another user') }])
    await nextTurn()
    owners.delete(dir)
    await nextTurn()
    expect([ns.get('key'), ns.set('key', 'mine again')]).toEqual(['mine', true])
  })

  test('or that becomes writable by others is not used from the next tick on', async () => {
    const dir = temporaryRoot()
    const ns = openIn(dir, { onWarning: () => undefined }).cache.namespace('tool')
    ns.set('key', 1)
    await nextTurn()
    chmodSync(dir, 0o777)
    await nextTurn()
    expect([ns.get('key'), ns.set('key', 2)]).toEqual([undefined, false])
  })

  test('before it exists is not used either', async () => {
    const dir = temporaryRoot()
    const owners = new Map<string, Partial<FileStat>>()
    const { cache } = openAsAnotherProcess(dir, {}, { files: filesOf(owners), user: USER })
    expect(cache.namespace('tool').get('key')).toBe(undefined)
    await nextTurn()
    openAsAnotherProcess(dir).cache.namespace('tool').set('key', 'forged')
    owners.set(dir, { owner: 1001 })
    await nextTurn()
    expect(cache.namespace('tool').get('key')).toBe(undefined)
  })

  test.each(['at its path', 'above it'])('by a link %s is rejected, whatever it points to', where => {
    const directory = temporaryDirectory()
    openAsAnotherProcess(join(directory, 'clone')).cache.namespace('tool').set('key', 'forged')
    symlinkSync(where === 'above it' ? directory : join(directory, 'clone'), join(directory, 'link'))
    const dir = where === 'above it' ? join(directory, 'link', 'clone') : join(directory, 'link')
    const files = filesOf(new Map([[join(directory, 'link'), { owner: 1001 }]]))
    const { cache, warnings } = openAsAnotherProcess(dir, {}, { files, user: USER })
    expect(cache.namespace('tool').get('key')).toBe(undefined)
    expect(warnings).toMatchObject([{ message: expect.stringContaining('link of another user (1001, not 1000)') }])
  })
})

test.each([
  ['belongs to another user', { owner: 1001 }],
  ['every user can write to', { mode: 0o777 }],
  ['a group can write to', { mode: 0o775 }],
])('no root is created in a directory that %s', (_what, changed) => {
  const parent = temporaryDirectory()
  const files = filesOf(new Map([[parent, changed]]))
  const { cache, warnings } = openAsAnotherProcess(join(parent, 'deeper', 'cache'), {}, { files, user: USER })
  expect(cache.namespace('tool').set('key', 1)).toBe(false)
  expect(existsSync(join(parent, 'deeper'))).toBe(false)
  expect(warnings).toMatchObject([{ code: 'ERR_CACHE_ROOT', message: expect.stringContaining(`${parent} `) }])
})

test('a root is created in a sticky directory of the superuser, such as /tmp', () => {
  const parent = temporaryDirectory()
  const files = filesOf(new Map([[parent, { owner: 0, group: 0, mode: 0o1777 }]]))
  const { cache } = openAsAnotherProcess(join(parent, 'cache'), {}, { files, user: USER })
  expect(cache.namespace('tool').set('key', 1)).toBe(true)
})

describe('a directory', () => {
  test.each([
    ['with a v2 directory of its own', 'v2/users.js'],
    ['that another tool has tagged', 'CACHEDIR.TAG'],
  ])('%s is not mistaken for a cache', async (_what, name) => {
    const dir = temporaryDirectory()
    mkdirSync(join(dir, 'v2'))
    writeFileSync(join(dir, name), 'Signature: 8a477f597d28d172789f06886806bc55\n')
    writeFileSync(join(dir, 'Cargo.toml'), '')
    const before = readdirSync(dir, { recursive: true })
    const { cache } = openIn(dir, { onWarning: () => undefined })
    expect(cache.namespace('tool').set('key', 1)).toBe(false)
    await expect(cache.gc()).rejects.toMatchObject({ code: 'ERR_CACHE_ROOT' })
    await expect(cache.verify({ repair: true })).rejects.toMatchObject({ code: 'ERR_CACHE_ROOT' })
    expect(readdirSync(dir, { recursive: true })).toEqual(before)
  })

  test('that is a fresh volume or part of a repository can become a root', () => {
    const dir = temporaryDirectory()
    for (const name of ['lost+found', '.Trash-1000']) mkdirSync(join(dir, name))
    for (const name of ['.DS_Store', '.gitkeep', 'config.json']) writeFileSync(join(dir, name), '{}')
    expect(openIn(dir).cache.namespace('tool').set('key', 1)).toBe(true)
    expect(readFileSync(join(dir, 'CACHEDIR.TAG'), 'utf8')).toContain('wicked-cache')
  })

  test('that has lost its tag is recognized by its packs', async () => {
    const dir = temporaryRoot()
    openAsAnotherProcess(dir).cache.namespace('tool').set('key', 1)
    unlinkSync(join(dir, 'CACHEDIR.TAG'))
    const { cache } = openAsAnotherProcess(dir)
    expect((await cache.verify({ repair: true })).isWhole).toBe(true)
    expect(cache.namespace('other').set('key', 1)).toBe(true)
    expect(existsSync(join(dir, 'CACHEDIR.TAG'))).toBe(true)
  })
})

describe.runIf(isSuperuser)('a trusted root', () => {
  const ACTION = `
    process.umask(0o022)
    if (args.user) {
      process.setgroups([2000])
      process.setgid(2000)
      process.setuid(args.user)
    }
    const cache = library.openCacheSync({ dir: args.dir, trustRoot: true, onWarning })
    const found = cache.namespace('tool').get('key') ?? null
    for (let i = 0; i < 1500; i++) cache.namespace('tool').set('of ' + args.user + ' ' + i, 'x'.repeat(100) + i)
    print(JSON.stringify([found, cache.namespace('tool').set('key', args.user)]))
    await cache.gc()
    cache.close()`

  test('lets two users of one group share entries', async () => {
    const dir = join(temporaryDirectory(), 'shared')
    chmodSync(join(dir, '..'), 0o755)
    mkdirSync(dir)
    chownSync(dir, 1001, 2000)
    chmodSync(dir, 0o2770)
    const given: unknown[] = []
    for (const user of [1001, 1002, 1001]) {
      given.push(JSON.parse((await runModule(ACTION, { dir, user })).lines[0] as string))
    }
    expect(given).toEqual([
      [null, true],
      [1001, true],
      [1002, true],
    ])
  })

  test('of another user keeps all files owned by that user when the superuser writes', async () => {
    const dir = join(temporaryDirectory(), 'theirs')
    chmodSync(join(dir, '..'), 0o755)
    mkdirSync(dir)
    chownSync(dir, 1001, 2000)
    chmodSync(dir, 0o700)
    await runModule(ACTION, { dir, user: 0 })
    for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
      const { uid, gid, mode } = statSync(join(dir, name))
      expect([name, uid, gid, mode & 0o077]).toEqual([name, 1001, 2000, 0])
    }
    expect(JSON.parse((await runModule(ACTION, { dir, user: 1001 })).lines[0] as string)).toEqual([0, true])
  })
})
