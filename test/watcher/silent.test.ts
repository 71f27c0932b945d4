// Watching without working file events.

import { EventEmitter } from 'node:events'
import { writeFileSync } from 'node:fs'
import { afterEach, expect, test, vi } from 'vitest'
import { project } from './project.js'
import { Watching, watching } from './watching.js'

vi.mock('../../src/watcher/rhythm.js', async (original: () => Promise<object>) => ({
  ...(await original()),
  START_MS: 50,
  SWEEP: { intervalMs: 50, maxShare: 1 },
}))

afterEach(() => {
  vi.doUnmock('chokidar')
  vi.resetModules()
})

test('without chokidar, periodic checks find changes', async () => {
  vi.doMock('chokidar', () => {
    throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
  })
  const { cache, root, path } = project('a.js', 'b.js')
  const told = await watching(cache, root)
  expect(told.errors.map(({ code }) => code)).toEqual(['ERR_CACHE_WATCH'])
  expect(told.watcher.status().isDegraded).toBe(true)
  writeFileSync(path('a.js'), 'changed')
  await told.untilKeys('a.js')
  expect(told.errors).toHaveLength(1)
})

test('an error without a listener is a warning', async () => {
  vi.doMock('chokidar', () => {
    throw new Error('Cannot find package')
  })
  const { cache, root, warnings } = project('a.js')
  const watcher = cache.watch(root)
  await watcher.ready
  expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_WATCH'])
})

test('a watch that never becomes ready is not waited for', async () => {
  const closed: string[] = []
  vi.doMock('chokidar', () => ({
    watch: (path: string) => Object.assign(new EventEmitter(), { close: async () => closed.push(path) }),
  }))
  const { cache, root, path } = project('a.js', 'b.js')
  const told = new Watching(cache, root)
  await told.watcher.ready
  writeFileSync(path('a.js'), 'changed')
  await told.untilKeys('a.js')
  await told.watcher.close()
  expect(closed).toEqual([root])
})
