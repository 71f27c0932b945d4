// Roots that other users can write to are rejected, because those users could forge entries.

import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type FileStat, type Files, nodeFiles } from '../../src/files/files.js'
import type { CacheOptions } from '../../src/index.js'
import { filesBelow, openAsAnotherProcess, openIn, temporaryDirectory, temporaryRoot } from '../support/caches.js'
import { meteredFiles } from '../support/files.js'

/** The user's own group has the user's number, as on systems that give each user one. */
const USER = { id: 1000, group: 1000 }
const isPosix = process.geteuid !== undefined

/** A real disk on which the root has this owner, group and mode, and all else belongs to the user. */
function filesWith(root: string, changed: Partial<FileStat>): Files {
  const own = { owner: USER.id, group: USER.group, mode: 0o700 }
  const changedStat = (path: string, stat: FileStat | undefined) =>
    stat && { ...stat, ...own, ...(path === root ? changed : {}) }
  return {
    ...nodeFiles,
    stat: path => changedStat(path, nodeFiles.stat(path)),
    linkStat: path => changedStat(path, nodeFiles.linkStat(path)),
  }
}

function opened(changed: Partial<FileStat>, options: CacheOptions = {}, user = USER) {
  const dir = temporaryRoot()
  openIn(dir).cache.namespace('tool').set('key', 'value')
  const { cache, warnings } = openAsAnotherProcess(dir, options, { files: filesWith(dir, changed), user })
  const entries = cache.namespace('tool')
  return { got: entries.get('key'), isSet: entries.set('new', 1), warnings, cache, dir }
}

describe('a root is rejected, for reads too, if it', () => {
  test.each<[string, Partial<FileStat>, string]>([
    ['belongs to another user', { owner: 1001 }, 'belongs to another user (1001, not 1000)'],
    ['is writable by everybody', { mode: 0o777 }, 'can be written to by every user'],
    ['is writable by everybody but its group', { mode: 0o707 }, 'can be written to by every user'],
    ['is writable by a shared group', { mode: 0o770, group: 100 }, 'can be written to by group 100'],
    // An access list that lets another user write shows as these bits.
    ["is writable by the user's private group", { mode: 0o770 }, 'can be written to by group 1000'],
  ])('%s', async (_what, changed, words) => {
    const { got, isSet, warnings, cache, dir } = opened(changed)
    expect([got, isSet]).toEqual([undefined, false])
    expect(warnings).toMatchObject([{ code: 'ERR_CACHE_ROOT', message: expect.stringContaining(`${dir} ${words}`) }])
    expect(warnings[0]?.message).toContain('trustRoot')
    await expect(cache.gc()).rejects.toMatchObject({ code: 'ERR_CACHE_ROOT' })
  })

  test("is writable by a group whose number differs from the user's", () => {
    const { isSet } = opened({ mode: 0o775, group: 20 }, {}, { id: 1000, group: 20 })
    expect(isSet).toBe(false)
  })

  test('belongs to an ordinary user and the superuser opens it', () => {
    expect(opened({ owner: 1000 }, {}, { id: 0, group: 0 }).isSet).toBe(false)
  })
})

describe('a root is used when', () => {
  test.each<[string, Partial<FileStat>]>([
    ['others can read it', { mode: 0o755 }],
    ['it belongs to the superuser', { owner: 0, group: 0, mode: 0o755 }],
  ])('%s', (_what, changed) => {
    expect(opened(changed)).toMatchObject({ got: 'value', isSet: true, warnings: [] })
  })

  test('trustRoot or WICKED_CACHE_TRUST_ROOT allows it', () => {
    const everybody = { owner: 1001, mode: 0o777 }
    expect(opened(everybody, { trustRoot: true })).toMatchObject({ got: 'value', isSet: true, warnings: [] })
    const before = process.env.WICKED_CACHE_TRUST_ROOT
    onTestFinished(() => {
      if (before === undefined) delete process.env.WICKED_CACHE_TRUST_ROOT
      else process.env.WICKED_CACHE_TRUST_ROOT = before
    })
    process.env.WICKED_CACHE_TRUST_ROOT = '1'
    expect(opened(everybody)).toMatchObject({ got: 'value', isSet: true, warnings: [] })
    expect(opened(everybody, { trustRoot: false })).toMatchObject({ got: undefined, isSet: false })
  })
})

test('a root that another user creates after the cache was opened is not written to', () => {
  const dir = join(temporaryDirectory(), 'cache')
  let isTheirs = false
  const own = filesWith(dir, {})
  const files: Files = {
    ...own,
    linkStat(path) {
      const stat = own.linkStat(path)
      return stat && isTheirs && path === dir ? { ...stat, owner: 1001 } : stat
    },
    makeDirectory(path) {
      // Between our look at what is there and the call.
      isTheirs = true
      return nodeFiles.makeDirectory(path)
    },
  }
  const { cache, warnings } = openAsAnotherProcess(dir, {}, { files, user: USER })
  expect(cache.namespace('tool').set('key', 1)).toBe(false)
  expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_ROOT'])
  expect(filesBelow(dir)).toEqual([])
})

test('opening a root costs one stat for it, for each directory above it and for its contents', () => {
  const dir = temporaryRoot()
  openIn(dir).cache.namespace('tool').set('key', 1)
  const { files, traffic } = meteredFiles()
  openAsAnotherProcess(dir, {}, { files })
  expect(traffic.calls).toEqual({ linkStat: dir.split('/').length + 2 })
})

test.runIf(isPosix)('created files and directories are accessible only to the user, whatever the umask', () => {
  const dir = join(temporaryDirectory(), 'deeper', 'cache')
  const umask = process.umask(0)
  onTestFinished(() => {
    process.umask(umask)
  })
  const { cache } = openAsAnotherProcess(dir)
  const entries = cache.namespace('tool')
  for (let index = 0; index < 4200; index++) entries.set(`key ${index}`, index)
  entries.clear()
  cache.close()
  const modes = new Map([['', statSync(dir).mode & 0o777]])
  for (const path of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    const stat = lstatSync(join(dir, path))
    modes.set(path, stat.mode & 0o777)
    expect([path, stat.mode & 0o777]).toEqual([path, stat.isDirectory() ? 0o700 : 0o600])
  }
  expect(modes.get('')).toBe(0o700)
  expect(modes.size).toBeGreaterThan(20)
})

test.runIf(isPosix)('a real directory is rejected if everybody can write to it, but not if others can read it', () => {
  const dir = temporaryRoot()
  mkdirSync(dir)
  chmodSync(dir, 0o777)
  expect(openIn(dir).cache.namespace('tool').set('key', 1)).toBe(false)
  chmodSync(dir, 0o1777)
  expect(openIn(dir).cache.namespace('tool').set('key', 1)).toBe(false)
  chmodSync(dir, 0o755)
  expect(openIn(dir).cache.namespace('tool').set('key', 1)).toBe(true)
})
