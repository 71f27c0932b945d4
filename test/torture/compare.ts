// Holds what a cache lists and counts against the model.

import { inspect as inspectValue, isDeepStrictEqual } from 'node:util'
import type { EntryInfo } from '../../src/index.js'
import type { ModelEntry } from './model.js'
import type { Sides, World } from './world.js'

/** @throws Error that says how the two differ */
export function expectSame(given: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(given, expected)) return
  throw new Error(`${what} gave ${inspect(given)}, not ${inspect(expected)}`)
}

const inspect = (value: unknown) => inspectValue(value, { depth: 4, maxStringLength: 60, maxArrayLength: 10 })

export function compareLists(world: World, { real, model, version }: Sides): void {
  const ofVersion = [...model.entries.values()].filter(entry => entry.version === version)
  expectSame([...real.keys()].sort(), ofVersion.map(({ key }) => key).sort(), 'keys')
  compareInfos(world, [...real.entries()], ofVersion, 'entries')
  const all = [...real.entries({ allVersions: true })]
  expectSame(all.length, model.entries.size, 'the number of entries of all versions')
  const named = [...model.entries.values()].filter(entry => !entry.version.includes('\0'))
  const infos = all.filter(info => !info.version.includes('\0'))
  compareInfos(world, infos, named, 'entries of all versions')
}

export function compareInfos(world: World, infos: EntryInfo[], entries: ModelEntry[], what: string): void {
  const given = infos.map(({ sizeBytes, digest, ...info }) => {
    expectSame(digest.endsWith(`-${sizeBytes}`), true, 'the size in the digest')
    return info
  })
  const expected = entries.map(entry => {
    const { key, version, createdAt, ttlMs, sources } = entry
    return {
      key,
      version,
      mode: sources ? 'file' : ttlMs === undefined ? 'manual' : 'ttl',
      valid: world.model.staleness(entry).length === 0,
      createdAt,
      ageMs: world.model.nowMs - createdAt,
      ...(ttlMs === undefined ? {} : { expiresAt: createdAt + ttlMs }),
      files: sources?.map(({ source }) => world.path(source)) ?? [],
    }
  })
  const byName = (a: { version: string; key: string }, b: { version: string; key: string }) =>
    `${a.version}\n${a.key}` < `${b.version}\n${b.key}` ? -1 : 1
  expectSame(given.sort(byName), expected.sort(byName), what)
}

export function compareStats(world: World, { real, model, process }: Sides): void {
  const { entryCount, hitCount, missCount, setCount, missReasons, totalSize, oldestEntryAgeMs } = real.stats()
  const { hits, misses, sets } = model.countsSeenBy(process)
  const ages = [...model.entries.values()].map(({ createdAt }) => world.model.nowMs - createdAt)
  const expected = {
    entryCount: model.entries.size,
    hitCount: hits,
    missCount: misses,
    setCount: sets,
    oldestEntryAgeMs: ages.length === 0 ? null : Math.max(...ages),
  }
  expectSame({ entryCount, hitCount, missCount, setCount, oldestEntryAgeMs }, expected, 'stats')
  const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0)
  expectSame(sum(Object.values(missReasons)), missCount, 'the sum of the reasons')
  const sizes = [...real.entries({ allVersions: true })].map(({ sizeBytes }) => sizeBytes)
  expectSame(totalSize, sum(sizes), 'totalSize')
}
