// Verify and repair beside processes that get, set, collect and are killed.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { CacheHandle } from '../../src/cache/cache.js'
import { nodeFiles } from '../../src/files/files.js'
import type { Cache } from '../../src/index.js'
import { Killed, mortalFiles } from '../store/environment.js'
import { filesBelow, nextTurn, openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { startModule } from '../support/children.js'
import { interceptedFiles } from '../support/files.js'
import { printedSeed, randomFrom } from '../support/random.js'
import { fill, flip, hitsOf, NOW, open, pathIn, SMALL, sizeOf, verifyAt } from './stores.js'

// Keys long enough for buckets to fill and split, values that are replaced, some of them shared.
const WRITER = `
  const entries = library.openCacheSync({ dir: args.dir, onWarning }).namespace('tool')
  for (let i = 0; i < args.count; i++) {
    const key = 'k'.repeat(400) + args.name + ' ' + (i % 700)
    if (!entries.set(key, { key, i: i % 50, text: 'x'.repeat(i % 7 === 0 ? 50_000 : 50) })) throw new Error('not stored')
    if (i % 3 === 0) entries.delete('k'.repeat(400) + args.name + ' ' + (i % 90))
    print(String(i))
    if (i % 20 === 0) await new Promise(resolve => setImmediate(resolve))
  }
`

test('verify finds no problems while others write, split buckets and collect', async () => {
  const dir = temporaryRoot()
  open(dir).namespace('tool').set('first', 1)
  const writers = ['a', 'b'].map(name => startModule(WRITER, { dir, name, count: 2500 }))
  let isOver = false
  const ended = Promise.all(writers.map(({ ended }) => ended)).then(all => {
    isOver = true
    return all
  })
  const collector = openAsAnotherProcess(dir).cache
  let rounds = 0
  for (; !isOver || rounds < 3; rounds++) {
    const [report] = await Promise.all([verifyAt(dir), rounds % 3 === 0 ? collector.gc() : undefined])
    expect(report.problems, `round ${rounds}`).toEqual([])
    expect(report.notes.filter(({ kind }) => kind === 'torn')).toEqual([])
  }
  expect((await ended).map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, ''],
    [0, ''],
  ])
  expect(filesBelow(join(dir, 'v2', 'namespaces', 'tool', 'manifest')).length).toBeGreaterThan(1)
  expect(await verifyAt(dir)).toMatchObject({ isWhole: true, problems: [] })
})

test('verify finds only notes after writers were killed', async () => {
  const random = randomFrom(printedSeed('verify after kills'))
  const dir = temporaryRoot()
  for (let round = 0; round < 4; round++) {
    const children = ['a', 'b', 'c'].map(name => startModule(WRITER, { dir, name: `${name}${round}`, count: 1e9 }))
    await Promise.all(
      children.map(async child => {
        const limit = 20 + random(250)
        for (let lines = 0; lines < limit; lines++) await child.line()
        child.process.kill('SIGKILL')
        await child.ended
      }),
    )
    const { isWhole, problems, entryCount } = await verifyAt(dir)
    expect({ isWhole, problems }).toEqual({ isWhole: true, problems: [] })
    expect(entryCount).toBeGreaterThan(0)
  }
})

test('a set killed at any call leaves no problems', async () => {
  for (let killAt = 1, isKilled = true; isKilled; killAt++) {
    const dir = temporaryRoot()
    const before = open(dir)
    fill(before, SMALL)
    before.close()
    isKilled = false
    const cache = new CacheHandle(
      {
        dir,
        clock: () => NOW,
        onWarning: ({ cause }) => {
          isKilled ||= cause instanceof Killed
        },
      },
      { files: mortalFiles(killAt, 0.6) },
    )
    cache.namespace('one').setMany([
      { key: 'text', value: 'replaced' },
      { key: 'new', value: 'new' },
    ])
    cache.namespace('three').set('new', 'new too')
    const report = await verifyAt(dir)
    expect(report.problems, `killed at call ${killAt}`).toEqual([])
    rmSync(dir, { recursive: true })
  }
})

/** Damages a manifest, the index and a pack of a store that others write to; returns what can have been lost for it. */
function damage(dir: string, random: (below: number) => number): void {
  for (const file of filesBelow(join(dir, 'v2'))) {
    if (file.includes('counters') || file.endsWith('.new') || random(3) === 0) continue
    const path = join(dir, 'v2', file)
    try {
      const size = sizeOf(path)
      // Not near the end: a set whose record is damaged before it has looked at it says that it stored nothing.
      if (size > 200) flip(path, 60 + random(Math.floor(size / 2)))
    } catch (error) {
      // It got successors since it was listed.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

test('a repair loses no concurrent set', async () => {
  const seed = printedSeed('repair beside writers')
  const random = randomFrom(seed)
  const dir = temporaryRoot()
  const writers = [0, 1].map(() => openAsAnotherProcess(dir).cache.namespace('tool'))
  const old = Array.from({ length: 300 }, (_, index) => ({ key: `old ${index} ${'k'.repeat(200)}`, value: { index } }))
  writers[0]?.setMany(old)
  let problemCount = 0
  let setCount = 0
  let lostCount = 0
  for (let round = 0; round < 12; round++) {
    await nextTurn()
    damage(dir, random)
    const cache = openAsAnotherProcess(dir).cache
    let isDone = false
    const repair = cache.verify({ repair: true }).finally(() => {
      isDone = true
    })
    // What is set from now on must be there afterwards, whichever part of the repair it meets.
    const model = new Map<string, string>()
    for (let step = 0; !isDone || step < 30; step++) {
      const writer = writers[random(2)] as ReturnType<Cache['namespace']>
      const key = `key ${random(80)}`
      // Some of these values are stored already, perhaps where the damage is.
      const value = `value ${random(60)} ${'x'.repeat(300)}`
      expect(writer.set(key, value)).toBe(true)
      setCount++
      // A writer that read a blob before it was damaged takes it to be whole still; what it then refers to is lost already.
      const another = open(dir, nodeFiles, true)
      if (another.namespace('tool').get(key) === value) model.set(key, value)
      else {
        model.delete(key)
        lostCount++
      }
      another.close()
      await nextTurn()
    }
    const report = await repair
    problemCount += report.problemCount
    expect(report.isWhole, `seed ${seed}, round ${round}: ${JSON.stringify(report.problems)}`).toBe(true)
    const fresh = openAsAnotherProcess(dir).cache.namespace('tool')
    for (const [key, value] of model) {
      for (const each of [...writers, fresh]) expect(each.get(key), `seed ${seed}, round ${round}, ${key}`).toBe(value)
    }
    expect((await verifyAt(dir)).problems).toEqual([])
  }
  expect(problemCount).toBeGreaterThan(10)
  expect(lostCount).toBeLessThan(setCount / 20)
})

test('verify does not report a value as missing that is stored again meanwhile', async () => {
  const dir = temporaryRoot()
  const cache = open(dir)
  fill(cache, SMALL)
  cache.close()
  rmSync(pathIn(dir, 'v2/blobs/packs/0.pack'))
  const other = open(dir).namespace('three')
  let isAgain = false
  const { problems } = await verifyAt(dir, {
    onProgress({ file }) {
      // The last file: all references have been looked at once.
      if (!file.startsWith('v2/namespaces/two/manifest') || isAgain) return
      isAgain = true
      setImmediate(() => other.set('again', SMALL.one?.text))
    },
  })
  expect(isAgain).toBe(true)
  const dangling = problems.flatMap(({ namespace, key }) => (key === undefined ? [] : `${namespace}/${key}`))
  expect(dangling.sort()).toEqual(['one/list', 'one/number', 'one/ttl', 'two/text'])
  expect(problems.filter(({ file }) => file.includes('index')).length).toBe(4)
})

test('an entry set again while a repair removes it is kept', async () => {
  const dir = temporaryRoot()
  const cache = open(dir)
  fill(cache, SMALL)
  cache.close()
  rmSync(pathIn(dir, 'v2/blobs/packs/0.pack'))
  const other = open(dir)
  let count = 0
  const files = interceptedFiles(call => {
    if (call.name === 'append' && call.path.includes('manifest')) {
      // Between the decision and the write, whichever entry it is about.
      for (const [name, values] of Object.entries(SMALL)) {
        for (const key of Object.keys(values)) other.namespace(name).set(key, `set again ${++count}`)
      }
    }
    return call.proceed()
  })
  await verifyAt(dir, { repair: true }, files)
  expect(count).toBeGreaterThan(0)
  const fresh = open(dir)
  for (const [name, values] of Object.entries(SMALL)) {
    for (const key of Object.keys(values)) expect(fresh.namespace(name).get(key)).toMatch(/^set again/)
  }
})

test('a repair beside writers in other processes leaves no problems, and keeps their last sets', async () => {
  const random = randomFrom(printedSeed('repair beside processes'))
  const dir = temporaryRoot()
  const writers = ['a', 'b'].map(name => startModule(WRITER, { dir, name, count: 1500 }))
  await Promise.all(writers.map(writer => writer.line()))
  let isOver = false
  const ended = Promise.all(writers.map(each => each.ended)).then(all => {
    isOver = true
    return all
  })
  for (let round = 0; !isOver && round < 5; round++) {
    damage(dir, random)
    await verifyAt(dir, { repair: true })
  }
  for (const { code, stderr } of await ended) expect([code, stderr]).toEqual([0, ''])
  expect((await verifyAt(dir, { repair: true })).isWhole).toBe(true)
  expect(await verifyAt(dir)).toMatchObject({ isWhole: true, problems: [] })
})

test('a repair killed at any call leaves every intact entry, and the next one finishes', async () => {
  let killAt = 1
  for (let isKilled = true; isKilled; killAt++) {
    const dir = temporaryRoot()
    const cache = open(dir)
    fill(cache, SMALL)
    cache.namespace('one').get('nothing')
    cache.close()
    flip(pathIn(dir, 'v2/blobs/packs/0.pack'), 60)
    flip(pathIn(dir, 'v2/blobs/index/_.0'), 40)
    flip(pathIn(dir, 'v2/namespaces/two/manifest/_.0'), 130)
    flip(pathIn(dir, 'v2/namespaces/one/counters/_.0'), 90)
    rmSync(pathIn(dir, 'CACHEDIR.TAG'))
    const before = hitsOf(dir, SMALL)
    expect(before.size).toBeGreaterThan(1)
    isKilled = false
    await verifyAt(dir, { repair: true }, mortalFiles(killAt, 0.5)).catch(error => {
      if (!(error instanceof Killed)) throw error
      isKilled = true
    })
    const where = `killed at call ${killAt}`
    expect(
      [...before].filter(each => !hitsOf(dir, SMALL).has(each)),
      where,
    ).toEqual([])
    expect(open(dir).namespace('one').set('another', killAt), where).toBe(true)
    // Here the dead owner is this very process.
    rmSync(layoutOf(dir).gcLock, { force: true })
    const report = await verifyAt(dir, { repair: true })
    expect(report.isWhole, `${where} ${JSON.stringify(report.problems)}`).toBe(true)
    expect(await verifyAt(dir), where).toMatchObject({ isWhole: true, problems: [] })
    expect(
      [...before].filter(each => !hitsOf(dir, SMALL).has(each)),
      where,
    ).toEqual([])
    expect(open(dir).namespace('one').get('another'), where).toBe(killAt)
    expect(filesBelow(layoutOf(dir).packs).filter(name => !name.endsWith('.pack'))).toEqual([])
    rmSync(dir, { recursive: true })
  }
  expect(killAt).toBeGreaterThan(40)
})
