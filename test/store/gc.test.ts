import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { layoutOf } from '../../src/base/layout.js'
import { positionOf } from '../../src/blobs/blob-index.js'
import { Blobs } from '../../src/blobs/blobs.js'
import { evacuate } from '../../src/blobs/evacuate.js'
import { CacheHandle } from '../../src/cache/cache.js'
import { nodeFiles } from '../../src/files/files.js'
import { BlobTable } from '../../src/gc/blob-table.js'
import { rewriteSome } from '../../src/gc/rewrite.js'
import type { Namespace } from '../../src/index.js'
import { removalChange } from '../../src/manifest/changes.js'
import type { Entry } from '../../src/manifest/entry.js'
import { encodePrefix } from '../../src/manifest/key.js'
import { Manifest } from '../../src/manifest/manifest.js'
import { filesBelow, nextTurn, openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { Killed, mortalFiles, newEnvironment, randomOf, seedIn, temporaryDirectory } from './environment.js'

let now = 1_790_000_000_000
const clock = () => now

/** A cache that shares nothing with others of this process but the files, like one in a process of its own. */
function openAlone(dir: string, files = nodeFiles): CacheHandle {
  return new CacheHandle(
    {
      dir,
      clock,
      onWarning: ({ cause }) => {
        if (!(cause instanceof Killed)) throw cause
      },
    },
    { files },
  )
}

test('expired and stale entries are dropped, with the values only they referred to', async () => {
  const dir = temporaryDirectory()
  const source = join(temporaryDirectory(), 'source.js')
  writeFileSync(source, 'one')
  const cache = openAlone(join(dir, 'root'))
  const ns = cache.namespace('ns')
  ns.set('manual', 'stays')
  ns.set('short', 'goes', { ttl: 10 })
  ns.set('shared', 'stays', { ttl: 10 })
  ns.set('long', 'stays too', { ttl: 10_000 })
  ns.set('file', 'of one', { files: [source] })
  ns.set('missing', 'of none', { files: [`${source}.none`] })
  now += 1000
  writeFileSync(source, 'two!')
  const report = await cache.gc()
  expect(report).toMatchObject({ expiredEntries: 2, staleEntries: 1, keptEntries: 3, removedBlobs: 2, keptBlobs: 3 })
  expect([...ns.keys()].sort()).toEqual(['long', 'manual', 'missing'])
  expect(['manual', 'long', 'missing'].map(key => ns.get(key))).toEqual(['stays', 'stays too', 'of none'])
  expect(await cache.gc()).toMatchObject({ expiredEntries: 0, staleEntries: 0, keptEntries: 3, removedBlobs: 0 })
})

test('space of cleared and deleted entries is freed', async () => {
  const cache = openAlone(join(temporaryDirectory(), 'root'))
  const ns = cache.namespace('ns')
  for (let i = 0; i < 3000; i++) ns.set(`key ${i}`, `${i} ${'x'.repeat(300)}`)
  cache.namespace('other').set('key', 'stays')
  ns.clear()
  const report = await cache.gc()
  expect(report.removedBlobs).toBe(3000)
  expect(report.diskBytesAfter).toBeLessThan(report.diskBytesBefore / 4)
  expect(cache.namespace('other').get('key')).toBe('stays')
})

test('another process finds values that the gc moved', async () => {
  const dir = join(temporaryDirectory(), 'root')
  const cache = openAlone(dir)
  const other = openAlone(dir).namespace('ns')
  const ns = cache.namespace('ns')
  for (let i = 0; i < 200; i++) ns.set(`key ${i}`, `value ${i}`)
  for (let i = 0; i < 200; i++) expect(other.get(`key ${i}`)).toBe(`value ${i}`)
  for (let i = 0; i < 200; i += 2) ns.delete(`key ${i}`)
  await cache.gc()
  for (let i = 1; i < 200; i += 2) expect(other.get(`key ${i}`)).toBe(`value ${i}`)
  expect(readdirSync(layoutOf(dir).packs)).toEqual(['1.pack'])
})

test('a pack that is created again hides no value from readers, verify and gc, and is removed', async () => {
  const dir = join(temporaryDirectory(), 'root')
  const { packs } = layoutOf(dir)
  openAlone(dir).namespace('ns').set('key', 'value')
  new Blobs(newEnvironment({ hashSeed: seedIn(dir) }), layoutOf(dir)).packs.retire(0)
  writeFileSync(join(packs, '0.pack'), '')
  const cache = openAlone(dir)
  expect((await cache.verify()).problems).toEqual([])
  expect(cache.namespace('ns').get('key')).toBe('value')
  await cache.gc()
  expect(openAlone(dir).namespace('ns').get('key')).toBe('value')
  expect(readdirSync(packs)).toEqual(['1.pack'])
  writeFileSync(join(packs, '0.pack'), '')
  await cache.gc()
  expect((await cache.verify()).problems).toEqual([])
  expect(openAlone(dir).namespace('ns').get('key')).toBe('value')
  expect(readdirSync(packs)).toEqual([expect.not.stringMatching('0.pack')])
})

test('a value that was moved or replaced since the tick began is found', () => {
  const dir = join(temporaryDirectory(), 'root')
  const reader = openAlone(dir).namespace('ns')
  reader.set('moved', 'value')
  reader.set('replaced', 'old')
  openAlone(dir).namespace('ns').set('replaced', 'new')
  const blobs = new Blobs(newEnvironment({ hashSeed: seedIn(dir) }), layoutOf(dir))
  evacuate(blobs, 0, (_id, bytes) => !bytes.includes('old'))
  expect([reader.get('moved'), reader.get('replaced')]).toEqual(['value', 'new'])
})

/** What a gc does to packs, all or those of its choice, in one go. */
function sweepAll(dir: string, isChosen = (_pack: number) => true): void {
  const environment = newEnvironment({ hashSeed: seedIn(dir) })
  const layout = layoutOf(dir)
  const blobs = new Blobs(environment, layout)
  const packs = blobs.packs.numbers().filter(isChosen)
  for (const pack of packs) blobs.packs.retire(pack)
  const marks = new BlobTable()
  const manifest = new Manifest(environment, layout.manifest('ns'), 'namespaces/ns/manifest')
  for (const { entry } of manifest.entries()) marks.add(positionOf(entry.blob.id))
  for (const pack of packs) {
    rewriteSome(blobs, pack, 0, blob => marks.rowOf(blob) >= 0, 1024 * 1024)
    blobs.packs.remove(pack)
  }
  blobs.close()
}

/** Removes all packs, and the entries whose values were in them, as a gc does on a full disk. */
function giveUpAll(dir: string, isForgotten: boolean): void {
  const environment = newEnvironment({ hashSeed: seedIn(dir) })
  const layout = layoutOf(dir)
  const { packs } = new Blobs(environment, layout)
  for (const pack of packs.numbers()) {
    packs.retire(pack)
    packs.remove(pack)
  }
  const manifest = new Manifest(environment, layout.manifest('ns'), 'namespaces/ns/manifest')
  manifest.write(manifest.partAt(0).entries.map(stored => removalChange(stored, { cause: 'evicted' })))
  if (isForgotten) manifest.compactAt(0)
}

/** Files of a process that stands still before each append to such a path, while others do their work. */
function haltingFiles(during: () => void, part: string) {
  let left = 0
  const files = interceptedFiles(call => {
    if (call.name === 'append' && call.path.includes(part) && left > 0) {
      left--
      during()
    }
    return call.proceed()
  })
  return {
    files,
    arm: (times: number) => {
      left = times
    },
    left: () => left,
  }
}

const STORING: [string, (ns: Namespace) => unknown][] = [
  ['set', ns => ns.set('key', 'new value')],
  ['setMany', ns => ns.setMany(['key', 'another'].map(key => ({ key, value: 'new value' })))],
  ['getOrSetSync', ns => ns.getOrSetSync('key', () => 'new value')],
]

test.each(STORING)('%s loses nothing when a gc runs between its value and its entry', (_, store) => {
  const dir = join(temporaryDirectory(), 'root')
  openAlone(dir).namespace('ns').set('other', 'value')
  const { files, arm, left } = haltingFiles(() => sweepAll(dir), 'manifest')
  const ns = openAlone(dir, files).namespace('ns')
  // A computation appends its lease first.
  arm(9)
  store(ns)
  expect(left()).toBeLessThan(9)
  expect(openAlone(dir).namespace('ns').getMany(['key', 'other'])).toEqual(['new value', 'value'])
})

test.each([
  ['set', false],
  ['set', true],
  ['setMany', false],
  ['getOrSetSync', false],
])('%s keeps its result when a gc drops its value and entry (reason forgotten: %s)', (call, isForgotten) => {
  // Before each of the calls that follow the entry; by chance, a process would go on with a slice of the background gc.
  for (let at = 1, hasRun = true; hasRun; at++) {
    hasRun = false
    const dir = join(temporaryDirectory(), 'root')
    // Long enough for its file to be rewritten.
    const others = ['other', 'k'.repeat(3900), 'l'.repeat(3900)]
    openAlone(dir)
      .namespace('ns')
      .setMany(others.map(key => ({ key, value: 'value' })))
    let callCount = Number.NaN
    // A computation appends its lease first.
    let appendsLeft = call === 'getOrSetSync' ? 2 : 1
    const files = interceptedFiles(each => {
      if (++callCount === at) {
        hasRun = true
        giveUpAll(dir, isForgotten)
      }
      if (each.name === 'append' && each.path.includes('manifest') && --appendsLeft === 0) callCount = 0
      return each.proceed()
    })
    const [, store] = STORING.find(([name]) => name === call) as (typeof STORING)[0]
    store(new CacheHandle({ dir }, { files, random: () => 0.5 }).namespace('ns'))
    callCount = Number.NaN
    expect([at, openAlone(dir).namespace('ns').get('key')]).toEqual([at, 'new value'])
    if (at === 1) expect(hasRun).toBe(true)
  }
})

test.each([1, 2, 3])('the index of values is correct when %i gcs run while a process writes to it', async times => {
  const dir = join(temporaryDirectory(), 'root')
  openAlone(dir).namespace('ns').set('other', 'value')
  const { files, arm, left } = haltingFiles(() => sweepAll(dir), join('blobs', 'index'))
  const cache = openAlone(dir, files)
  arm(times)
  cache.namespace('ns').set('key', 'new value')
  await nextTurn()
  cache.close()
  expect(left()).toBeLessThan(times)
  expect(openAlone(dir).namespace('ns').getMany(['key', 'other'])).toEqual(['new value', 'value'])
  expect((await openAlone(dir).verify()).problems).toEqual([])
})

test.each([1, 2, 5])('a get finds a value that %i gcs move during its lookup', times => {
  const dir = join(temporaryDirectory(), 'root')
  openAlone(dir).namespace('ns').set('key', 'value')
  // The entry names a pack that is gone, so that the index is asked.
  sweepAll(dir)
  let left = 0
  const files = interceptedFiles(call => {
    if (call.name === 'open' && call.path.endsWith('.pack') && left > 0) {
      left--
      sweepAll(dir)
    }
    return call.proceed()
  })
  const ns = openAlone(dir, files).namespace('ns')
  left = times
  expect([ns.get('key'), left]).toEqual(['value', 0])
})

test('two concurrent gcs lose nothing', () => {
  const dir = join(temporaryDirectory(), 'root')
  openAlone(dir).namespace('ns').set('key', 'value')
  // The second one chose its packs before the first one retired this.
  const { files, arm } = haltingFiles(() => sweepAll(dir, each => each !== pack), join('blobs', 'index'))
  const blobs = new Blobs(newEnvironment({ files, hashSeed: seedIn(dir) }), layoutOf(dir))
  const [pack] = blobs.packs.numbers() as [number]
  blobs.packs.retire(pack)
  arm(1)
  rewriteSome(blobs, pack, 0, () => true, 1024 * 1024)
  blobs.packs.remove(pack)
  expect(openAlone(dir).namespace('ns').get('key')).toBe('value')
})

test.each([1, 3])('entries point to their values when another process appends at the same time (%i at once)', count => {
  const dir = join(temporaryDirectory(), 'root')
  openAlone(dir).namespace('ns').set('first', 'first')
  let isFirst = true
  // Between this process's last look at the pack and its own append.
  const files = interceptedFiles(call => {
    if (call.name === 'append' && call.path.endsWith('.pack') && isFirst) {
      isFirst = false
      openAlone(dir).namespace('other').set('key', 'in between')
    }
    return call.proceed()
  })
  const items = Array.from({ length: count }, (_, i) => ({ key: `key ${i}`, value: `value ${i}` }))
  const cache = openAlone(dir, files)
  expect(cache.namespace('ns').setMany(items)).toBe(count)
  const environment = newEnvironment({ hashSeed: seedIn(dir) })
  const layout = layoutOf(dir)
  const { packs } = new Blobs(environment, layout)
  const manifest = new Manifest(environment, layout.manifest('ns'), 'namespaces/ns/manifest')
  const prefix = encodePrefix({ version: '', scope: 'project', kind: 'plain', project: process.cwd() })
  for (const { key } of items) {
    const { blob } = manifest.look(manifest.keyOf(prefix, key)).entry as Entry
    expect(packs.read(blob.location, blob.id)).toBeDefined()
  }
})

test('one copy is left of a value that two processes stored at the same time', async () => {
  const dir = join(temporaryDirectory(), 'root')
  const value = 'x'.repeat(50_000)
  let isFirst = true
  // Between this process's look for the value and its own append.
  const files = interceptedFiles(call => {
    if (call.name === 'append' && call.path.endsWith('.pack') && isFirst) {
      isFirst = false
      openAlone(dir).namespace('b').set('key', value)
    }
    return call.proceed()
  })
  openAlone(dir, files).namespace('a').set('key', value)
  const cache = openAlone(dir)
  const packBytes = () => readdirSync(layoutOf(dir).packs).map(name => statSync(join(layoutOf(dir).packs, name)).size)
  expect(packBytes()[0]).toBeGreaterThan(100_000)
  await cache.gc()
  expect(packBytes().reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(60_000)
  expect(['a', 'b'].map(name => openAlone(dir).namespace(name).get('key'))).toEqual([value, value])
})

test('a gc of a missing cache creates nothing', async () => {
  const dir = join(temporaryDirectory(), 'root')
  expect(await openAlone(dir).gc()).toMatchObject({ keptEntries: 0, diskBytesAfter: 0 })
  expect(existsSync(dir)).toBe(false)
})

test('sets during a gc are never lost', async () => {
  const seed = 77
  const random = randomOf(seed)
  const dir = join(temporaryDirectory(), 'root')
  const cache = openAlone(dir)
  const setters = [openAlone(dir), openAlone(dir)].map(each => each.namespace('ns'))
  const model = new Map<string, string>()
  const value = (n: number) => `value ${n % 50} ${'x'.repeat(100)}`
  for (let round = 0; round < 30; round++) {
    const gc = cache.gc()
    let isDone = false
    gc.finally(() => {
      isDone = true
    })
    for (let step = 0; !isDone || step < 20; step++) {
      const setter = setters[random(2)] as (typeof setters)[0]
      const key = `key ${random(60)}`
      if (random(3) === 0) {
        setter.delete(key)
        model.delete(key)
      } else {
        const text = value(random(100))
        expect(setter.set(key, text)).toBe(true)
        model.set(key, text)
      }
      // A tick of the event loop, in which the gc goes on by one piece.
      await new Promise(resolve => setImmediate(resolve))
    }
    await gc
    for (const [key, text] of model) expect(setters[0]?.get(key), `seed ${seed}, round ${round}, ${key}`).toBe(text)
  }
})

test('a gc that is killed at any call leaves every entry unchanged, and the next one finishes', async () => {
  let killAt = 1
  for (let isKilled = true; isKilled; killAt++) {
    const dir = join(temporaryDirectory(), 'root')
    const before = openAlone(dir)
    const ns = before.namespace('ns')
    const long = 'x'.repeat(300)
    for (let i = 0; i < 20; i++) ns.set(`key ${i} ${long}`, `value ${i}`, i % 4 === 0 ? { ttl: 1 } : {})
    for (let i = 1; i < 20; i += 4) ns.delete(`key ${i} ${long}`)
    before.namespace('removed').set('key', 'value')
    before.removeNamespace('removed')
    before.close()
    now += 10
    isKilled = false
    await openAlone(dir, mortalFiles(killAt, 0.5))
      .gc()
      .catch(error => {
        if (!(error instanceof Killed)) throw error
        isKilled = true
      })
    const expectLive = (when: string) => {
      const next = openAlone(dir)
      for (let i = 0; i < 20; i++) {
        const isLive = i % 4 > 1
        const got = next.namespace('ns').get(`key ${i} ${long}`)
        expect(got, `killed at call ${killAt}, ${when}: key ${i}`).toBe(isLive ? `value ${i}` : undefined)
      }
      expect(next.namespace('ns').set('another', killAt)).toBe(true)
      return next
    }
    const next = expectLive('afterwards')
    // Here the dead owner is this very process.
    rmSync(layoutOf(dir).gcLock, { force: true })
    await next.gc()
    expectLive('after another gc')
    expect(readdirSync(layoutOf(dir).packs).filter(name => !name.endsWith('.pack'))).toEqual([])
    expect(filesBelow(dir).filter(name => name.endsWith('.new'))).toEqual([])
    expect(next.namespaces()).toEqual(['ns'])
    rmSync(dir, { recursive: true })
  }
  expect(killAt).toBeGreaterThan(20)
})

test("a root that another process creates in the tick of the gc's start does not count as replaced", async () => {
  const dir = temporaryRoot()
  const { cache } = openAsAnotherProcess(dir)
  cache.namespace('ns').get('key')
  openAsAnotherProcess(dir).cache.namespace('ns').set('key', 'value')
  expect(await cache.gc({ dryRun: true })).toMatchObject({ keptEntries: 1 })
})
