// A copy of a root by hard links, as backup tools make it (cp -al, rsync --link-dest), shares its files with the original. Logs
// are appended in place, so the copy changes with the original. Neither loses an entry because of changes to the other.

import { cpSync, linkSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Journal } from '../../src/gc/journal.js'
import { newEnvironment } from '../store/environment.js'
import { openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { randomFrom } from '../support/random.js'
import { counting, inRounds } from '../support/torture.js'

const count = counting()

const COUNT = 1500
const KEYS = Array.from({ length: COUNT }, (_, n) => `key ${n}`)

/** Another root with the same files. */
function linked(root: string): string {
  const copy = temporaryRoot()
  const walk = (from: string, to: string) => {
    mkdirSync(to, { mode: 0o700 })
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      const paths = [join(from, entry.name), join(to, entry.name)] as const
      if (entry.isDirectory()) walk(...paths)
      else linkSync(...paths)
    }
  }
  walk(root, copy)
  return copy
}

function open(root: string, maxSize?: number) {
  const { cache, warnings } = openAsAnotherProcess(root, maxSize ? { maxSize } : {})
  return { cache, warnings, ns: cache.namespace('tool', { project: false }) }
}

function filled(): string {
  const root = temporaryRoot()
  const { cache, ns } = open(root)
  ns.setMany(KEYS.map(key => ({ key, value: `first ${key}` })))
  cache.close()
  return root
}

test('a hard-link snapshot keeps all entries after the original has rewritten its files', async () => {
  const root = filled()
  const copy = linked(root)
  const original = open(root)
  for (let round = 0; round < 5; round++) {
    original.ns.setMany(KEYS.map(key => ({ key, value: `later ${round} ${key}` })))
  }
  await original.cache.gc()
  const { cache, ns } = open(copy)
  const wrong = (of: typeof ns, expected: (key: string) => string) => KEYS.filter(key => of.get(key) !== expected(key))
  expect(
    KEYS.filter(key => ns.get(key) === undefined),
    'read',
  ).toEqual([])
  expect((await cache.verify()).problems).toEqual([])
  expect(ns.setMany(KEYS.map(key => ({ key, value: `copy ${key}` })))).toBe(COUNT)
  expect(
    wrong(ns, key => `copy ${key}`),
    'set',
  ).toEqual([])
  await cache.gc()
  await original.cache.gc()
  expect(
    wrong(open(root).ns, key => `later 4 ${key}`),
    'original',
  ).toEqual([])
  expect(
    wrong(open(copy).ns, key => `copy ${key}`),
    'copy',
  ).toEqual([])
})

test('an original and its snapshot both keep their sets when both are written and collected', async () => {
  await inRounds({ short: 2, share: 0.03 }, async seed => {
    const random = randomFrom(seed)
    const root = temporaryRoot()
    const fill = open(root)
    const first = new Map<string, string>()
    for (let i = 0; i < 300; i++) {
      const key = `key ${random(200)}`
      first.set(key, `first ${i} ${'x'.repeat(random(800))}`)
      fill.ns.set(key, first.get(key))
      if (random(60) === 0) await fill.cache.gc()
    }
    // One that has it open when the snapshot is taken goes on.
    if (random(2)) fill.cache.close()
    const trees = [root, linked(root)].map(dir => ({ dir, opened: open(dir), own: new Map<string, string>() }))
    count('snapshots by hard links')
    for (let i = 0; i < 300; i++) {
      const tree = trees[random(2)] as (typeof trees)[0]
      const key = `key ${random(200)}`
      if (random(2) === 0) {
        const value = `${tree.dir} ${i} ${'y'.repeat(random(800))}`
        expect(tree.opened.ns.set(key, value), `seed ${seed}, ${i}`).toBe(true)
        tree.own.set(key, value)
      } else {
        const others = trees.map(({ own }) => own.get(key))
        const possible = tree.own.has(key) ? [tree.own.get(key)] : [first.get(key), ...others]
        const found = tree.opened.ns.get(key)
        expect(possible, `seed ${seed}, ${i}: ${key}`).toContain(found)
      }
      if (random(30) === 0) await tree.opened.cache.gc()
      if (random(20) === 0) await new Promise(resolve => setImmediate(resolve))
      if (random(30) > 0) continue
      tree.opened.cache.close()
      tree.opened = open(tree.dir)
    }
    for (const { dir, own, opened } of trees) {
      const { cache, ns, warnings } = open(dir)
      for (const [key, value] of own) expect(ns.get(key), `seed ${seed}: ${key}`).toBe(value)
      for (const key of first.keys()) expect(ns.get(key), `seed ${seed}: ${key}`).toBeDefined()
      expect((await cache.verify()).problems, `seed ${seed}`).toEqual([])
      expect([...warnings, ...opened.warnings], `seed ${seed}`).toEqual([])
    }
  })
})

test.each([
  ['by hard links', linked],
  ['of another kind', (root: string) => copied(root)],
])('a copy %s does not resume a background gc that the original started', (_how, copy) => {
  const root = temporaryRoot()
  mkdirSync(root)
  const journal = new Journal(newEnvironment(), join(root, 'upkeep'))
  const state = { phase: 'idle', dueMs: 3 } as const
  journal.begin(state)
  expect(journal.read()).toEqual(state)
  const inCopy = new Journal(newEnvironment(), join(copy(root), 'upkeep'))
  expect(inCopy.read()).toBeUndefined()
  inCopy.begin({ ...state, dueMs: 4 })
  expect([journal.read(), inCopy.read()]).toEqual([state, { ...state, dueMs: 4 }])
})

function copied(root: string): string {
  const copy = temporaryRoot()
  cpSync(root, copy, { recursive: true })
  return copy
}
