// Outside changes to a root in use: it is moved away and replaced, clocks jump, links and foreign files are planted in it. No
// call throws, no value is wrong, nothing outside changes, and in the end the store passes verify.

import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nextTurn, openAsAnotherProcess, repeatedCodes, temporaryDirectory } from '../support/caches.js'
import { randomFrom } from '../support/random.js'
import { counting, inRounds } from '../support/torture.js'

const count = counting()
type Cache = ReturnType<typeof openAsAnotherProcess>['cache']
type Random = (below: number) => number

const KEYS = 30
const textOf = (owner: string, n: number) => `${owner} ${n} ${'x'.repeat(n % 700)}`

/** Of each key, what was set in the roots that were ever at the path: a get gives one of these, or nothing. */
type Known = Map<string, Set<string>>

function step(cache: Cache, known: Known, random: Random, owner: string): void {
  const ns = cache.namespace(random(4) ? 'tool' : 'other')
  const key = `key ${random(KEYS)}`
  const name = `${ns.name} ${key}`
  if (random(3) === 0) {
    const value = textOf(owner, random(10_000))
    const values = known.get(name) ?? new Set()
    known.set(name, values.add(value))
    if (ns.set(key, value, random(5) ? {} : { ttl: 1 + random(100_000) }))
      expect([value, undefined], `${name} after its set`).toContain(ns.get(key))
  } else if (random(20) === 0) ns.delete(key)
  else {
    const found = ns.get<string>(key)
    if (found !== undefined) expect([...(known.get(name) ?? [])], `a get of ${name}`).toContain(found)
  }
}

async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    expect((error as { code?: string }).code).toMatch(/^ERR_CACHE_(BUSY|ROOT|IO)$|^E[A-Z]+$/)
  }
}

test('survives roots that are moved away, deleted and replaced', async () => {
  await inRounds({ short: 3, share: 0.03 }, async seed => {
    const random = randomFrom(seed)
    const directory = temporaryDirectory()
    const dir = join(directory, 'cache')
    const known: Known = new Map()
    const processes = [0, 1].map(() => openAsAnotherProcess(dir))
    const cacheOf = (at: number) => (processes[at] as (typeof processes)[0]).cache
    for (let i = 0, trashed = 0; i < 300; i++) {
      const which = random(2)
      step(cacheOf(which), known, random, `${which}`)
      if (random(10) === 0) await attempt(() => cacheOf(random(2)).gc())
      if (random(12) > 0) continue
      await nextTurn()
      count('roots moved, deleted and replaced')
      const kind = random(4)
      if (!existsSync(dir)) continue
      if (kind === 0) rmSync(dir, { recursive: true })
      else if (kind === 1) renameSync(dir, join(directory, `trash ${trashed++}`))
      else if (kind === 2) {
        // A copy of what it was takes its place: another directory, the same content.
        cpSync(dir, join(directory, `copy ${trashed}`), { recursive: true })
        renameSync(dir, join(directory, `trash ${trashed++}`))
        renameSync(join(directory, `copy ${trashed - 1}`), dir)
      } else if (trashed > 0 && existsSync(join(directory, 'trash 0'))) {
        rmSync(dir, { recursive: true })
        renameSync(join(directory, 'trash 0'), dir)
      }
      await nextTurn()
      // From now on, both see what either sets.
      const text = textOf('after', i)
      known.set('tool shared', (known.get('tool shared') ?? new Set()).add(text))
      expect(processes[0]?.cache.namespace('tool').set('shared', text), `seed ${seed}, ${i}`).toBe(true)
      await nextTurn()
      expect(processes[1]?.cache.namespace('tool').get('shared'), `seed ${seed}, ${i}`).toBe(text)
    }
    for (const { cache, warnings } of processes) {
      expect(repeatedCodes(warnings)).toEqual([])
      cache.close()
    }
    const { cache } = openAsAnotherProcess(dir)
    expect((await cache.verify()).problems, `seed ${seed}`).toEqual([])
  })
})

test('survives clocks that jump by minutes and years', async () => {
  await inRounds({ short: 3, share: 0.03 }, async seed => {
    const random = randomFrom(seed)
    const dir = join(temporaryDirectory(), 'cache')
    const known: Known = new Map()
    const clocks = [0, 1].map(() => Date.now())
    const jumps = [1, 1000, 70_000, 5 * 3_600_000, 40 * 86_400_000, 3e12]
    const processes = clocks.map((_ms, at) =>
      openAsAnotherProcess(dir, { clock: () => clocks[at] as number, maxSize: 300_000 }),
    )
    const cacheOf = (at: number) => (processes[at] as (typeof processes)[0]).cache
    for (let i = 0; i < 400; i++) {
      const which = random(2)
      step(cacheOf(which), known, random, `${which}`)
      if (random(8) === 0) {
        const by = jumps[random(jumps.length)] as number
        clocks[which] = random(6) === 0 ? Date.now() : (clocks[which] as number) + (random(2) ? by : -by)
        count('jumps of a clock')
      }
      if (random(15) === 0) await attempt(() => cacheOf(random(2)).gc())
      if (random(5) === 0) await nextTurn()
    }
    // By a clock that is right again, nothing that was set by one that is ahead outlives what is set now.
    const nowMs = Date.now()
    clocks.fill(nowMs)
    await nextTurn()
    const cache = cacheOf(0)
    for (let i = 0; i < 20; i++) cache.namespace('last').set(`key ${i}`, i)
    await cache.gc({ maxEntries: 20 })
    const left = ['tool', 'other'].flatMap(name => [...cache.namespace(name).entries()])
    expect(
      left.filter(({ createdAt }) => createdAt > nowMs + 60_000).map(({ key }) => key),
      `seed ${seed}`,
    ).toEqual([])
    expect((await cache.verify()).problems, `seed ${seed}`).toEqual([])
    for (const { cache, warnings } of processes) {
      expect(warnings, `seed ${seed}`).toEqual([])
      cache.close()
    }
  })
})

/** Every directory below the root. */
function directoriesOf(dir: string): string[] {
  const below = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(entry => entry.isDirectory())
  return [dir, ...below.map(({ parentPath, name }) => join(parentPath, name))]
}

/** Everything in a directory, with the bytes of files. */
function contentsOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .map(entry => [join(entry.parentPath, entry.name), entry.isFile()] as const)
    .map(([path, isFile]) => `${path} ${isFile ? readFileSync(path, 'latin1') : ''}`)
    .sort()
}

test('survives links and foreign files planted in a root', async () => {
  await inRounds({ short: 3, share: 0.03 }, async seed => {
    const random = randomFrom(seed)
    const directory = temporaryDirectory()
    const dir = join(directory, 'cache')
    const outside = join(directory, 'outside')
    const known: Known = new Map()
    // Another cache, so that what is followed by mistake finds what it looks for.
    const other = openAsAnotherProcess(outside).cache
    for (let i = 0; i < KEYS; i++) other.namespace('tool').set(`key ${i}`, 'outside')
    other.close()
    const contents = () => contentsOf(outside)
    const before = contents()
    const targets = [
      '',
      'v2',
      'v2/namespaces',
      'v2/namespaces/tool',
      'v2/namespaces/tool/manifest',
      'v2/blobs/packs',
      'v2/blobs/packs/0.pack',
    ]
    const names = [
      'x',
      'a',
      '0',
      '_.9',
      'a.3',
      '7.pack',
      '7.retired',
      'notes.txt',
      'loop',
      'tool',
      'manifest',
      'gc.lock.takeover',
      'upkeep',
      'foreign',
    ]
    const planted: string[] = []
    for (let i = 0; i < 60; i++) {
      const { cache, warnings } = openAsAnotherProcess(dir, { maxSize: 200_000 })
      for (let n = 0; n < 10; n++) step(cache, known, random, `${i}`)
      if (existsSync(join(dir, 'v2'))) {
        const places = directoriesOf(dir)
        const path = join(places[random(places.length)] as string, names[random(names.length)] as string)
        const kind = random(4)
        if (!lstatSync(path, { throwIfNoEntry: false })) {
          count('links and files planted in a root')
          if (kind === 0) writeFileSync(path, 'foreign')
          else if (kind === 1) mkdirSync(path)
          else if (kind === 2) symlinkSync(path, path)
          else symlinkSync(join(outside, targets[random(targets.length)] as string), path)
          if (kind === 0 && path.endsWith('notes.txt')) planted.push(path)
        }
      }
      await nextTurn()
      for (let n = 0; n < 10; n++) step(cache, known, random, `${i}`)
      cache.stats()
      cache.namespaces()
      await attempt(() => cache.gc())
      if (random(4) === 0) await attempt(() => cache.verify())
      expect(repeatedCodes(warnings)).toEqual([])
      cache.close()
      expect(contents(), `seed ${seed}, ${i}: outside`).toEqual(before)
      for (const path of planted) expect(statSync(path).size, path).toBe(7)
    }
    const { cache } = openAsAnotherProcess(dir)
    await cache.verify({ repair: true })
    expect((await cache.verify()).problems, `seed ${seed}`).toEqual([])
    expect(contents(), `seed ${seed}: outside`).toEqual(before)
  })
})

test('survives links to another cache that replace directories of a root during a gc', async () => {
  await inRounds({ short: 3, share: 0.03 }, async seed => {
    const random = randomFrom(seed)
    const directory = temporaryDirectory()
    const [dir, outside, aside] = ['cache', 'outside', 'aside'].map(name => join(directory, name)) as [
      string,
      string,
      string,
    ]
    const known: Known = new Map()
    // What a gc removes: garbage in packs, namespaces without entries, candidates of processes that were killed.
    const leaveGarbage = (root: string) => {
      const { cache } = openAsAnotherProcess(root)
      for (let n = 0; n < 40; n++) step(cache, known, random, root)
      for (const name of ['gone', 'also gone']) {
        cache.namespace(name).set('key', 1)
        cache.namespace(name).clear()
      }
      cache.close()
      for (const map of ['blobs/index', 'namespaces/tool/manifest']) {
        if (existsSync(join(root, 'v2', map))) writeFileSync(join(root, 'v2', map, `_.${random(9)}.00ff.new`), '')
      }
    }
    leaveGarbage(outside)
    const before = contentsOf(outside)
    for (let i = 0; i < 30; i++) {
      leaveGarbage(dir)
      const { cache, warnings } = openAsAnotherProcess(dir, { maxSize: 200_000 })
      for (let n = 0; n < 10; n++) step(cache, known, random, `${i}`)
      const both = directoriesOf(dir)
        .map(path => path.slice(dir.length + 1))
        .filter(place => place !== '' && existsSync(join(outside, place)))
      const place = both[random(both.length)] as string
      const running = attempt(() => (random(4) ? cache.gc({ maxEntries: random(40) }) : cache.verify({ repair: true })))
      for (let turns = random(12); turns > 0; turns--) await nextTurn()
      // The gc may just have removed it.
      if (existsSync(join(dir, place))) {
        renameSync(join(dir, place), aside)
        symlinkSync(join(outside, place), join(dir, place))
        count('directories replaced by links while a gc runs')
      }
      for (let n = 0; n < 5; n++) step(cache, known, random, `${i}`)
      await running
      await nextTurn()
      for (let n = 0; n < 10; n++) step(cache, known, random, `${i}`)
      await attempt(() => cache.gc())
      expect(repeatedCodes(warnings)).toEqual([])
      cache.close()
      expect(contentsOf(outside), `seed ${seed}, ${i}: ${place}`).toEqual(before)
      if (lstatSync(join(dir, place), { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(join(dir, place))
      rmSync(aside, { recursive: true, force: true })
    }
    const { cache } = openAsAnotherProcess(dir)
    await cache.verify({ repair: true })
    expect((await cache.verify()).problems, `seed ${seed}`).toEqual([])
  })
})
