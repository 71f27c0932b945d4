// A garbage collection, from the first look at the entries to the report.
//
// Roots are the manifests; when one cannot be read, nothing is swept. One entry that cannot be judged is kept and counted.
// Readers and writers go on all the while, in this process as well: the work is cut into pieces of some milliseconds. Killed or
// aborted between any two, every entry that was not dropped is intact (`sweep.ts` says why).
//
// On a full disk, what is dead goes first, without a write; entries that could not be dropped for want of room are dropped
// after that. A dry run ends where the first write would be: its counts of entries are those of a gc at that moment, what it
// says of values and bytes is an estimate.

import { join } from 'node:path'
import type { GcReport } from '../api/index.js'
import { CacheError } from '../base/errors.js'
import { escapeNamespace, type Layout, LISTS_DIRECTORY } from '../base/layout.js'
import { diskUsage, fileBytes } from '../files/disk-usage.js'
import type { Files } from '../files/files.js'
import type { Removal } from '../manifest/entry.js'
import { dropOf, type EntryChange, type StoredEntry } from '../manifest/manifest.js'
import { limitsOf } from '../policy/bounds.js'
import { Census } from './census.js'
import { type Cutoff, evict, invalidate, isCutOff } from './choice.js'
import { type CollectedNamespace, forEachNamespace, type GcInput } from './input.js'
import { Lock, removeProbes } from './lock.js'
import { Pace } from './pace.js'
import { ifRoom } from './room.js'
import { Sweeper } from './sweeper.js'

const PLACES = 2 ** 32

/**
 * @throws CacheError `ERR_CACHE_BUSY`, `ERR_CACHE_NAMESPACE`, `ERR_CACHE_ROOT`; errno-style errors; the signal's reason: with
 *   all live entries intact
 */
export async function collect(input: GcInput): Promise<GcReport> {
  const { environment, layout, isDryRun, signal, only } = input
  const { files, random } = environment
  signal?.throwIfAborted()
  assertOwnDirectories(files, layout)
  if (only !== undefined && !files.linkStat(layout.namespace(escapeNamespace(only)))) {
    throw new CacheError('ERR_CACHE_NAMESPACE', `There is no namespace ${JSON.stringify(only)}.`, { value: only })
  }
  const lock = isDryRun ? undefined : createLock(files, layout, random)
  const collection = new Collection(input, lock)
  if (!files.linkStat(layout.version)) return collection.report
  if (!lock) return collection.run()
  if (!(await lock.acquireAfterStep())) throw new CacheError('ERR_CACHE_BUSY', 'Another gc is running on this cache.')
  try {
    // A cycle of the background gc that was under way is done with.
    files.remove(layout.upkeep)
    removeProbes(files, layout.version)
    return await collection.run()
  } finally {
    lock.release()
  }
}

/** What a link in the place of a directory leads to is not the cache's, and may hold anything. */
function assertOwnDirectories(files: Files, layout: Layout): void {
  const { version, packs, blobIndex, fileHashes, namespaces } = layout
  for (const path of [version, join(packs, '..'), packs, blobIndex, fileHashes, namespaces]) {
    const kind = files.linkStat(path)?.kind
    if (kind === undefined || kind === 'directory') continue
    const message = `${path} is a link or a file in the place of a directory; verify with repair moves it away.`
    throw new CacheError('ERR_CACHE_ROOT', message, { value: path })
  }
}

/** An entry to be dropped, and why: of itself, or because there is too much. */
interface Drop {
  removal: Removal
  stored: StoredEntry
  isExcess: boolean
  /** Whether it is one of those that callers know of: lists of inputs are not. */
  isCounted: boolean
}

type Choice = Pick<Drop, 'removal' | 'isExcess'>

const EXCESS: Choice = { removal: { cause: 'evicted' }, isExcess: true }

class Collection {
  readonly report: GcReport
  readonly #input: GcInput
  readonly #pace: Pace
  readonly #census: Census
  /** Where the entries of each namespace are in the census. */
  readonly #parts = new Map<string, { directory: string; start: number; end: number }>()
  /** What is too much, by namespace. */
  readonly #cutoffs = new Map<string, Cutoff[]>()
  /** Entries that should have been dropped while there was no room to say so. */
  #undoneCount = 0
  /** Of these, the ones that are not too much, but of no use. */
  #undoneInvalidCount = 0
  /** What the records of dropped entries take. */
  #droppedBytes = 0

  constructor(input: GcInput, lock: Lock | undefined) {
    const { environment, blobs, layout, isDryRun, signal, onProgress } = input
    const diskBytes = diskUsage(environment.files, layout.version)
    const generation = environment.rootGeneration()
    const check = () => {
      environment.turn.current()
      if (environment.rootGeneration() !== generation)
        throw new CacheError('ERR_CACHE_ROOT', `The cache directory ${layout.root} was replaced during a gc.`)
      lock?.keep()
    }
    this.#input = input
    this.#pace = new Pace({ signal, onProgress, check })
    this.#census = new Census(blobs.packs.places())
    this.report = {
      isDryRun,
      expiredEntries: 0,
      staleEntries: 0,
      unusedEntries: 0,
      evictedEntries: 0,
      keptEntries: 0,
      unreadableEntries: 0,
      removedBlobs: 0,
      keptBlobs: 0,
      deadBlobs: 0,
      deadBytes: 0,
      diskBytesBefore: diskBytes,
      diskBytesAfter: diskBytes,
    }
  }

  async run(): Promise<GcReport> {
    const { environment, layout, onProgress, isDryRun } = this.#input
    await this.#dropInvalid()
    await this.#dropExcess()
    const sweeper = new Sweeper(this.#input, this.#pace, this.#census, this.#maxLiveBytes(), this.report)
    await sweeper.locate()
    if (isDryRun) {
      const garbageBytes = await sweeper.estimate()
      this.report.diskBytesAfter = Math.max(0, this.report.diskBytesBefore - garbageBytes - this.#droppedBytes)
      onProgress?.({ step: 'values', fraction: 1 })
      return this.report
    }
    await sweeper.sweep(this.#undoneCount > 0 ? (name, stored) => this.#isToGo(name, stored) : undefined)
    if (this.#undoneCount > 0 || sweeper.hasDangling) await this.#dropRest()
    await sweeper.tidyIndex()
    await this.#forgetFiles()
    await this.#tidy()
    this.report.diskBytesAfter = diskUsage(environment.files, layout.version)
    onProgress?.({ step: 'values', fraction: 1 })
    return this.report
  }

  /** Drops what is expired, stale or too long unused, and takes the rest into the census. */
  async #dropInvalid(): Promise<void> {
    await forEachNamespace(this.#input.namespaces, async (namespace, at, count) => {
      const { name, directory } = namespace
      const start = this.#census.length
      await this.#drop(
        namespace,
        at / count,
        stored => {
          const { removal, isUnreadable } = this.#invalid(name, stored)
          if (isUnreadable) this.report.unreadableEntries++
          if (!removal) this.#census.add(stored, this.#input.now())
          return removal && { removal, isExcess: false }
        },
        unreadableCount => {
          this.report.unreadableEntries += unreadableCount
        },
      )
      this.#parts.set(name, { directory, start, end: this.#census.length })
    })
    const lists = this.#parts.get(LISTS_DIRECTORY)
    this.report.keptEntries += this.#census.length - (lists ? lists.end - lists.start : 0)
  }

  #invalid(name: string, stored: StoredEntry): ReturnType<typeof invalidate> {
    const { snapshotMeans, bounds, now } = this.#input
    if (!this.#isMeant(name)) return { removal: undefined, isUnreadable: false }
    const maxAgeMs = Math.min(limitsOf(bounds.whole).maxAgeMs, limitsOf(bounds.namespaces.get(name)).maxAgeMs)
    return invalidate(snapshotMeans, stored, now(), maxAgeMs)
  }

  /** Drops the least recently used entries where there are too many: of each namespace, then of all. */
  async #dropExcess(): Promise<void> {
    const { bounds, now } = this.#input
    for (const [name, part] of this.#parts) {
      const named = bounds.namespaces.get(name)
      const own =
        named && this.#isMeant(name) ? await evict(this.#census, limitsOf(named), this.#pace, part) : undefined
      this.#cutoffs.set(name, own ? [own] : [])
    }
    const limits = { ...limitsOf(bounds.whole), maxSizeBytes: this.#maxLiveBytes() }
    const lists = this.#parts.get(LISTS_DIRECTORY)
    const common = await evict(this.#census, limits, this.#pace, undefined, lists)
    if (common) for (const each of this.#cutoffs.values()) each.push(common)
    if (this.#input.isDryRun) {
      const { struckCount, struckBytes } = this.#census
      const evictedCount = struckCount - (lists ? this.#census.struckIn(lists) : 0)
      this.report.evictedEntries = evictedCount
      this.report.keptEntries -= evictedCount
      this.#droppedBytes += struckBytes
      return
    }
    if (![...this.#cutoffs.values()].some(each => each.length > 0)) return
    await forEachNamespace(this.#input.namespaces, async (namespace, at, count) => {
      const own = this.#cutoffs.get(namespace.name) ?? []
      if (own.length === 0) return
      const isExcess = ({ entry }: StoredEntry) => own.some(cutoff => isCutOff(cutoff, entry, now()))
      await this.#drop(namespace, at / count, stored => {
        const removal = this.#undoneCount > 0 ? this.#invalid(namespace.name, stored).removal : undefined
        return removal ? undefined : isExcess(stored) ? EXCESS : undefined
      })
    })
  }

  /** Whether an entry goes that could not be dropped yet. */
  #isToGo(name: string, stored: StoredEntry): boolean {
    if (this.#invalid(name, stored).removal) return true
    const nowMs = this.#input.now()
    return (this.#cutoffs.get(name) ?? []).some(cutoff => isCutOff({ ...cutoff }, stored.entry, nowMs))
  }

  /** Drops what there was no room for, and the entries of values that were given up. */
  async #dropRest(): Promise<void> {
    const { blobs, environment } = this.#input
    environment.turn.end()
    this.report.keptEntries -= this.#undoneInvalidCount
    this.#undoneCount = 0
    this.#undoneInvalidCount = 0
    const isThere = blobs.packs.places()
    const isDangling = ({ entry: { blob } }: StoredEntry) =>
      !isThere(blob.location) && blobs.get({ ...blob, id: Buffer.from(blob.id) }) === undefined
    await forEachNamespace(this.#input.namespaces, async (namespace, at, count) => {
      const { name } = namespace
      await this.#drop(namespace, at / count, stored => {
        const { removal } = this.#invalid(name, stored)
        if (removal) return { removal, isExcess: false }
        return this.#isToGo(name, stored) || isDangling(stored) ? EXCESS : undefined
      })
    })
  }

  /**
   * Drops the entries for which there is a cause, with one write for each bucket. An entry that was set again meanwhile
   * stays.
   */
  async #drop(
    { manifest, directory }: CollectedNamespace,
    fraction: number,
    choose: (stored: StoredEntry) => Choice | undefined,
    unreadable: (count: number) => void = () => undefined,
  ): Promise<void> {
    const { isDryRun, environment } = this.#input
    const isCounted = directory !== LISTS_DIRECTORY
    for (let place = 0; place < PLACES; ) {
      const { entries, rest, next, unreadableCount } = manifest.partAt(place, environment.files.now())
      if (unreadableCount > 0) unreadable(unreadableCount)
      const drops: Drop[] = []
      for (const stored of entries) {
        const chosen = choose(stored)
        if (chosen) drops.push({ ...chosen, stored, isCounted })
      }
      const changes: EntryChange[] = drops.map(({ stored, removal }) => dropOf(stored, removal))
      // What leads to no entry any more.
      for (const { key, check, isOfUse } of rest) {
        if (!isOfUse) changes.push({ key, removal: { cause: 'evicted' }, expected: check })
      }
      const written = isDryRun ? drops.map(() => true) : ifRoom(() => manifest.write(changes))
      // Some of them may have been written before the room ran out.
      if (!written) environment.turn.end()
      const left = written ? undefined : new Set(manifest.partAt(place).entries.map(({ check }) => check))
      const isDropped = written ?? drops.map(({ stored }) => !left?.has(stored.check))
      const undone = drops.filter(({ stored }) => left?.has(stored.check))
      for (const [index, drop] of drops.entries()) if (isDropped[index]) this.#count(drop)
      for (const drop of undone) this.#countUndone(drop)
      if (undone.length > 0) this.#giveTiesBack(undone)
      if (!isDryRun) ifRoom(() => manifest.compactAt(place))
      place = next
      await this.#pace.pause('entries', fraction)
    }
  }

  #count({ removal: { cause }, stored, isExcess, isCounted }: Drop): void {
    this.#droppedBytes += stored.frameBytes
    if (!isCounted) return
    if (isExcess) {
      this.report.evictedEntries++
      this.report.keptEntries--
    } else if (cause === 'expired') this.report.expiredEntries++
    else if (cause === 'evicted') this.report.unusedEntries++
    else this.report.staleEntries++
  }

  #countUndone({ isExcess, isCounted }: Drop): void {
    this.#undoneCount++
    if (isExcess || !isCounted) return
    // For now it stays.
    this.#undoneInvalidCount++
    this.report.keptEntries++
  }

  /** What a cutoff let go in vain may go later. */
  #giveTiesBack(drops: readonly Drop[]): void {
    const nowMs = this.#input.now()
    for (const cutoff of new Set([...this.#cutoffs.values()].flat())) {
      for (const { stored } of drops) {
        if (isCutOff({ lastUse: cutoff.lastUse, ties: 1 }, stored.entry, nowMs)) cutoff.ties++
      }
    }
  }

  /** Forgets the hashes of files that are gone. */
  async #forgetFiles(): Promise<void> {
    for (let place = 0; place < PLACES; ) {
      const at = place
      place = ifRoom(() => this.#input.fileHashes.pruneAt(at)) ?? PLACES
      await this.#pace.pause('values', 1)
    }
  }

  /** What is left over besides entries and values: candidates of processes that died, files of namespaces that were removed. */
  async #tidy(): Promise<void> {
    const { blobs, environment, layout, namespaces } = this.#input
    blobs.index.removeLeftovers()
    await forEachNamespace(namespaces, async namespace => {
      const { manifest, counters, directory } = namespace
      for (const map of [manifest, counters]) map.removeLeftovers()
      if (counters.isEmpty && manifest.isEmpty) ifRoom(() => removeFiles(environment.files, layout, namespace))
      await this.#pace.pause('values', 1)
      this.#parts.delete(directory)
    })
  }

  /** What entries and values may take of the cache's bound. */
  #maxLiveBytes(): number {
    const { environment, layout, bounds } = this.#input
    let liveBytes = limitsOf(bounds.whole).maxSizeBytes
    if (liveBytes === Number.POSITIVE_INFINITY) return liveBytes
    for (const { directory } of this.#parts.values()) {
      liveBytes -= fileBytes(environment.files, layout.counters(directory))
    }
    return liveBytes
  }

  #isMeant(name: string): boolean {
    return this.#input.only === undefined || this.#input.only === name
  }
}

export function createLock(files: Files, { gcLock }: Layout, random: () => number): Lock {
  return new Lock(files, gcLock, random)
}

/** Removes what an empty namespace has on disk, as far as nothing is written to it at the same time. For the holder of the lock. */
export function removeFiles(
  files: Files,
  layout: Layout,
  { directory, manifest, counters }: Pick<CollectedNamespace, 'directory' | 'manifest' | 'counters'>,
): void {
  const isRemoved = [manifest, counters].map(map => map.removeIfEmpty()).every(Boolean)
  for (const map of [layout.manifest, layout.counters]) files.removeDirectory(map(directory))
  if (isRemoved) files.removeDirectory(layout.namespace(directory))
}
