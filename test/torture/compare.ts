// Holds what a cache lists and counts against the model.

import { inspect as inspectValue, isDeepStrictEqual } from 'node:util'
import type { EntryInfo } from '../../src/index.js'
import type { Expected, ModelEntry } from './model.js'
import type { Sides, World } from './world.js'

/** @throws Error that says how the two differ */
export function expectSame(given: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(given, expected)) return
  throw new Error(`${what} gave ${inspect(given)}, not ${inspect(expected)}`)
}

/** Whether something was found. @throws Error that says what should have been */
export function expectOneOf(given: unknown, { found, mayMiss }: Expected, what: string): boolean {
  if (given === undefined && mayMiss) return false
  if (given !== undefined && found.some(({ value }) => isDeepStrictEqual(given, value))) return true
  throw new Error(`${what} gave ${inspect(given)}, not one of ${inspect(found.map(({ value }) => value))}`)
}

const inspect = (value: unknown) => inspectValue(value, { depth: 4, maxStringLength: 60, maxArrayLength: 10 })

export function compareLists(world: World, { real, model, name, version }: Sides): void {
  const ofVersion = [...model.entries.values()].filter(entry => entry.version === version)
  const plain = ofVersion.filter(({ origin }) => origin === 'set' || origin === 'getOrSet')
  expectSame([...real.keys()].sort(), plain.map(({ key }) => key).sort(), 'keys')
  compareInfos(world, name, [...real.entries()], ofVersion, 'entries')
  const all = [...model.entries.values()]
  compareInfos(world, name, [...real.entries({ allVersions: true })], all, 'entries of all versions')
}

/** What is listed of an entry, but for its value. */
export function infoOf(
  world: World,
  namespace: string,
  entry: ModelEntry,
): Omit<EntryInfo, 'sizeBytes' | 'digest' | 'computeMs'> {
  const { label, origin, version, createdAt, ttlMs, sources } = entry
  const isPortable = origin === 'analyze'
  return {
    key: label,
    ...(origin === 'analyze' && { name: label.slice(0, label.indexOf(' ')) }),
    ...(origin === 'wrap' && { name: label.slice(0, label.indexOf('(')) }),
    origin,
    version,
    project: isPortable ? null : world.projectOf(namespace),
    isPortable,
    mode: sources ? 'file' : ttlMs === undefined ? 'manual' : 'ttl',
    valid: world.model.staleness(entry).length === 0,
    createdAt,
    ageMs: world.model.nowMs - createdAt,
    ...(ttlMs === undefined ? {} : { expiresAt: createdAt + ttlMs }),
    files: sources?.map(({ source }) => world.path(source)) ?? [],
  }
}

export function compareInfos(
  world: World,
  namespace: string,
  infos: EntryInfo[],
  entries: ModelEntry[],
  what: string,
): void {
  const given = infos.map(({ sizeBytes, digest, computeMs, ...info }) => {
    expectSame(digest.endsWith(`-${sizeBytes}`), true, 'the size in the digest')
    expectSame(computeMs === null, info.origin === 'set', 'whether it was computed')
    return info
  })
  const expected = entries.map(entry => infoOf(world, namespace, entry))
  const byName = (a: { version: string; key: string }, b: { version: string; key: string }) =>
    `${a.version}\n${a.key}` < `${b.version}\n${b.key}` ? -1 : 1
  expectSame(given.sort(byName), expected.sort(byName), what)
}

export function compareStats(world: World, { real, model, process }: Sides): void {
  const stats = real.stats()
  const { entryCount, hitCount, missCount, setCount, missReasons, totalSize, oldestEntryAgeMs } = stats
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
  // Answers have a size, and are not listed.
  if (stats.pastAnswerCount === 0) expectSame(totalSize, sum(sizes), 'totalSize')
}
