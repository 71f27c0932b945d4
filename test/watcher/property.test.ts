// Random changes to a tree that two processes watch: in the end no stale entry is left, and no entry was dropped that stayed
// fresh.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { nextTurn, openAsAnotherProcess, openIn, temporaryDirectory, temporaryRoot } from '../support/caches.js'
import { printedSeed, randomFrom } from '../support/random.js'
import { watching } from './watching.js'

const STEPS = 400
const DIRECTORIES = ['', 'src', 'src/deep', 'lib', 'node_modules/dep', 'a/b/c']
const NAMES = ['one.js', 'two.js', 'three.json', '.hidden', 'four~', 'Five']

/** What an entry depends on at this path. */
function stateOf(path: string): string {
  if (!existsSync(path)) return 'absent'
  return statSync(path).isDirectory() ? `names ${readdirSync(path).sort().join()}` : `content ${readFileSync(path)}`
}

test('random changes drop all stale entries and no fresh ones', async () => {
  const seed = printedSeed('watcher property')
  const random = randomFrom(seed)
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T
  const root = join(temporaryDirectory(), 'root')
  const elsewhere = `${root}-elsewhere`
  const dir = temporaryRoot()
  const { cache } = openIn(dir)
  const foreign = openAsAnotherProcess(dir).cache
  const namespaces = [cache.namespace('tool', { project: root }), foreign.namespace('Other', { version: '1' })]
  const anyPath = () => join(root, pick(DIRECTORIES), pick(NAMES))
  const anyDirectory = () => join(root, pick(DIRECTORIES.slice(1)))
  const contentOf = () => `content ${random(4)}`
  const write = (path: string, content: string) => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
  for (const tree of [root, elsewhere]) {
    for (let i = 0; i < 20; i++) write(join(tree, pick(DIRECTORIES), pick(NAMES)), contentOf())
  }

  /** Live entries by key: their sources as they were, and whether those have ever been different. */
  const entries = new Map<string, { states: Map<string, string>; wasStale: boolean; isStale: boolean }>()
  let count = 0
  const set = () => {
    const paths = Array.from({ length: 1 + random(3) }, () => (random(5) === 0 ? anyDirectory() : anyPath()))
    const key = `entry ${count++}`
    expect(pick(namespaces).set(key, 1, { files: paths })).toBe(true)
    entries.set(key, { states: new Map(paths.map(path => [path, stateOf(path)])), wasStale: false, isStale: false })
  }
  const review = () => {
    for (const entry of entries.values()) {
      entry.isStale = [...entry.states].some(([path, state]) => stateOf(path) !== state)
      entry.wasStale ||= entry.isStale
    }
  }

  const changes: (() => void)[] = [
    () => write(anyPath(), contentOf()),
    () => {
      const path = anyPath()
      write(`${path}.tmp`, contentOf())
      renameSync(`${path}.tmp`, path)
    },
    () => {
      const path = anyPath()
      if (existsSync(path)) writeFileSync(path, readFileSync(path))
    },
    () => {
      const path = anyPath()
      if (existsSync(path)) utimesSync(path, random(1000), random(1000))
    },
    () => {
      const path = anyPath()
      if (existsSync(path)) unlinkSync(path)
    },
    () => {
      const [from, to] = [anyPath(), anyPath()]
      if (existsSync(from) && existsSync(dirname(to))) renameSync(from, to)
    },
    () => {
      const [from, to] = [anyDirectory(), anyDirectory()]
      if (existsSync(from) && !existsSync(to) && existsSync(dirname(to)) && !to.startsWith(from)) renameSync(from, to)
    },
    () => rmSync(anyDirectory(), { recursive: true, force: true }),
    () => {
      renameSync(root, `${root}-aside`)
      renameSync(elsewhere, root)
      renameSync(`${root}-aside`, elsewhere)
    },
  ]

  for (let i = 0; i < 30; i++) set()
  const watchers = [await watching(cache, root), await watching(foreign, root)]
  const dropped = new Set<string>()
  for (const { watcher } of watchers) {
    watcher.on('invalidate', ({ key }) => {
      dropped.add(key)
      const entry = entries.get(key)
      if (entry && !entry.wasStale) throw new Error(`${key} was dropped, but has been fresh (TEST_SEED=${seed}).`)
      entries.delete(key)
    })
  }
  for (let step = 0; step < STEPS; step++) {
    if (random(3) === 0) set()
    pick(changes)()
    review()
    for (let turns = random(3) === 0 ? random(40) : 0; turns > 0; turns--) await nextTurn()
  }
  for (let i = 0; i < 10; i++) set()
  const isSettled = () => ![...entries.values()].some(({ isStale }) => isStale)
  // One of them may not hear of what the other one dropped at once.
  await Promise.race(watchers.map(told => told.until(isSettled)))

  const kept = namespaces.flatMap(namespace => [...namespace.keys()])
  expect(kept.sort(), `TEST_SEED=${seed}`).toEqual([...entries.keys()].sort())
  expect(dropped.size).toBeGreaterThan(50)
  for (const { keys } of watchers) expect(new Set(keys).size, `TEST_SEED=${seed}`).toBe(keys.length)
})
