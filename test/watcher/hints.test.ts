// How the watcher handles a single event, without other events and without periodic checks.

import { EventEmitter } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { beforeEach, expect, test, vi } from 'vitest'
import { openAsAnotherProcess } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { project } from './project.js'
import { watching } from './watching.js'

vi.mock('../../src/watcher/rhythm.js', async (original: () => Promise<object>) => ({
  ...(await original()),
  SWEEP: { intervalMs: 1_000_000_000, maxShare: 1 },
}))

let heard = new EventEmitter()
vi.mock('chokidar', () => ({
  watch: () => {
    queueMicrotask(() => heard.emit('ready'))
    return Object.assign(heard, { close: async () => undefined })
  },
}))

beforeEach(() => {
  heard = new EventEmitter()
})

test('a new directory is listed twice, as it may be filled before it is watched', async () => {
  const { dir, root, path, entries } = project()
  entries.set('absent', 1, { files: [path('new/a.js')] })
  let isArmed = false
  const files = interceptedFiles(call => {
    const result = call.proceed()
    if (isArmed && call.path === path('new/a.js')) {
      isArmed = false
      writeFileSync(path('new/a.js'), '')
    }
    return result
  })
  const told = await watching(openAsAnotherProcess(dir, {}, { files }).cache, root)
  mkdirSync(path('new'))
  isArmed = true
  heard.emit('all', 'addDir', path('new'))
  await told.untilKeys('absent')
  expect(isArmed).toBe(false)
})

test('one event for a directory covers everything in it', async () => {
  const { cache, root, path } = project('src/a.js', 'src/deep/b.js', 'src2/c.js')
  const told = await watching(cache, root)
  for (const name of ['src/a.js', 'src/deep/b.js', 'src2/c.js']) writeFileSync(path(name), 'changed')
  heard.emit('all', 'unlinkDir', path('src'))
  await told.untilKeys('src/a.js', 'src/deep/b.js')
  expect(told.watcher.status().entryCount).toBe(1)
})

test('an event without a name counts for its directory', async () => {
  const { cache, root, path } = project('src/a.js')
  const told = await watching(cache, root)
  writeFileSync(path('src/a.js'), 'changed')
  heard.emit('raw', 'change', null, { watchedPath: path('src') })
  await told.untilKeys('src/a.js')
})

test('each kind of error is reported once', async () => {
  const { cache, root } = project()
  const told = await watching(cache, root)
  for (const code of ['ENOSPC', 'ENOSPC', 'EMFILE']) heard.emit('error', Object.assign(new Error(code), { code }))
  await told.until(() => told.errors.length === 2)
  expect(told.errors.map(({ cause }) => (cause as NodeJS.ErrnoException).code)).toEqual(['ENOSPC', 'EMFILE'])
})
