// Chooses what an explicit gc drops. It counts everything that is alive, so it knows exactly how much must go and what is in
// each pack.
//
// Entries that can't be checked are kept and counted. A dry run counts the entries as a gc would at that moment;
// its figures for values and bytes are estimates.

import type { GcReport } from '../api/index.js'
import { LISTS_DIRECTORY } from '../base/layout.js'
import { locationIn, positionOf } from '../blobs/blob-index.js'
import { diskUsage, fileBytes } from '../files/disk-usage.js'
import type { RecordView } from '../log-map/record.js'
import type { StoredEntry } from '../manifest/records.js'
import { requiredLimits } from '../policy/configured-limits.js'
import { isWorthRewriting } from '../policy/garbage.js'
import { Census } from './census.js'
import { type CensusRange, type Cutoff, evict, invalidate, isCutOff, type Judgement, STAYS } from './choice.js'
import type { CollectedNamespace, GcInput } from './input.js'
import { type Choice, type Drop, type PackUse, type State, withPhase } from './state.js'
import { HASH_END } from './walk.js'

/** Yields what changes in the state, or nothing while there is more to choose. */
type Choosing<T> = Generator<Partial<State> | undefined, T>

export class CensusChoice implements Choice {
  readonly #report: GcReport
  readonly #input: GcInput
  readonly #census: Census
  readonly #steps: Choosing<void>
  /** Where the entries of each namespace are in the census, by name. */
  readonly #parts = new Map<string, CensusRange>()
  /** The cutoffs for entries over a limit, by namespace; undefined until all entries are in the census. */
  #cutoffs: Map<string, Cutoff[]> | undefined
  #seenCount = 0
  /** What the records of dropped entries take. */
  #droppedBytes = 0
  /** Packs that will be rewritten, and packs that stay although they have garbage. */
  #chosen: PackUse[] = []
  #left: PackUse[] = []

  constructor(input: GcInput) {
    const { environment, blobs, layout, isDryRun } = input
    const diskBytes = diskUsage(environment.files, layout.version)
    this.#input = input
    const { packs } = blobs
    const packBytes = packs.numbers().reduce((sum, pack) => sum + packs.sizeOf(pack), 0)
    this.#census = new Census(packs.places(), packBytes)
    this.#steps = this.#choosing()
    this.#report = {
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

  plan(): undefined {
    return undefined
  }

  choose(state: State): State | undefined {
    const { value, done } = this.#steps.next()
    return done ? undefined : { ...withPhase(state, 'choose'), ...value }
  }

  *#choosing(): Choosing<void> {
    const { isDryRun } = this.#input
    // Useless entries are chosen while the others are counted.
    yield { phase: 'drop' }
    const cutoffs = yield* this.#evict()
    this.#cutoffs = cutoffs
    if ([...cutoffs.values()].some(each => each.length > 0)) yield { phase: 'drop' }
    if (this.#census.isIncomplete) yield* this.#locate()
    this.#choosePacks()
    const packs = this.#chosen
    if (isDryRun) yield { phase: 'index' }
    else yield { phase: 'retire', packs, ...(this.#census.isIncomplete ? { hasRest: true } : {}) }
  }

  isPassedOver({ name }: CollectedNamespace): boolean {
    return this.#cutoffs !== undefined && !this.#cutoffs.get(name)?.length
  }

  dropOf(namespace: CollectedNamespace, stored: StoredEntry, { hasRest, isRest }: State): Drop | undefined {
    const { name } = namespace
    // Useless entries were dropped before, if the disk had room.
    const isJudged = !this.#cutoffs || hasRest || this.#input.isDryRun
    const { removal, isUnreadable } = isJudged ? this.#judge(name, stored) : STAYS
    if (this.#cutoffs) {
      if (removal) return isRest ? { stored, removal, isExcess: false } : undefined
      const isExcess = this.#isCutOff(name, stored, isRest)
      return isExcess ? { stored, removal: { cause: 'evicted' }, isExcess } : undefined
    }
    if (isCounted(namespace)) this.#seenCount++
    if (removal) return { stored, removal, isExcess: false }
    if (isUnreadable) this.#report.unreadableEntries++
    this.#add(name, stored)
    return undefined
  }

  dropped(namespace: CollectedNamespace, drops: readonly Drop[], undone: readonly Drop[], unreadable: number): void {
    if (!this.#cutoffs) this.#report.unreadableEntries += unreadable
    for (const drop of drops) {
      this.#droppedBytes += drop.stored.frameBytes
      if (isCounted(namespace)) this.#count(drop)
    }
    if (undone.length > 0) this.#giveTiesBack(undone, !isCounted(namespace))
  }

  /** Counts dead blobs that stay; in a dry run, those that would be removed. */
  indexed(records: () => readonly RecordView[]): void {
    const { isDryRun } = this.#input
    const [left, going] = [packsOf(this.#left), packsOf(isDryRun ? this.#chosen : [])]
    if (left.size + going.size === 0) return
    for (const record of records()) {
      if (this.#census.isLive(positionOf(record.key))) continue
      const { pack } = locationIn(record)
      if (left.has(pack)) this.#report.deadBlobs++
      if (going.has(pack)) this.#report.removedBlobs++
    }
  }

  /** The report of a cycle that is over. */
  report(removedBlobs: number): GcReport {
    const { environment, layout, isDryRun } = this.#input
    const { expiredEntries, staleEntries, unusedEntries, evictedEntries, diskBytesBefore } = this.#report
    return {
      ...this.#report,
      keptEntries: this.#seenCount - expiredEntries - staleEntries - unusedEntries - evictedEntries,
      removedBlobs: this.#report.removedBlobs + removedBlobs,
      keptBlobs: this.#census.liveBlobs,
      deadBytes: garbageIn(this.#left),
      diskBytesAfter: isDryRun
        ? Math.max(0, diskBytesBefore - garbageIn(this.#chosen) - this.#droppedBytes)
        : diskUsage(environment.files, layout.version),
    }
  }

  #isMeant(name: string): boolean {
    return this.#input.only === undefined || this.#input.only === name
  }

  #judge(name: string, stored: StoredEntry): Judgement {
    const { snapshotMeans, limits, now } = this.#input
    if (!this.#isMeant(name)) return STAYS
    const maxAgeMs = Math.min(
      requiredLimits(limits.whole).maxAgeMs,
      requiredLimits(limits.namespaces.get(name)).maxAgeMs,
    )
    return invalidate(snapshotMeans, stored, now(), maxAgeMs)
  }

  /** `isAnyTie`: counts every tie as past it. */
  #isCutOff(name: string, { entry }: StoredEntry, isAnyTie: boolean): boolean {
    const nowMs = this.#input.now()
    const isList = name === LISTS_DIRECTORY
    return (this.#cutoffs?.get(name) ?? []).some(cutoff =>
      isCutOff(isAnyTie ? { ...cutoff } : cutoff, entry, nowMs, isList),
    )
  }

  #add(name: string, stored: StoredEntry): void {
    const part = this.#parts.get(name) ?? { start: this.#census.length, end: 0 }
    this.#census.add(stored, this.#input.now(), name === LISTS_DIRECTORY)
    part.end = this.#census.length
    this.#parts.set(name, part)
  }

  /**
   * Removes entries with the lowest rank from the census until the limits hold: first those of each namespace, then those of
   * the cache.
   */
  *#evict(): Choosing<Map<string, Cutoff[]>> {
    const { whole, namespaces } = this.#input.limits
    const cutoffs = new Map<string, Cutoff[]>()
    for (const [name, part] of this.#parts) {
      const named = namespaces.get(name)
      const own = named && this.#isMeant(name) ? yield* evict(this.#census, requiredLimits(named), part) : undefined
      cutoffs.set(name, own ? [own] : [])
    }
    const limits = { ...requiredLimits(whole), maxSizeBytes: this.#maxLiveBytes() }
    const common = yield* evict(this.#census, limits, undefined, this.#parts.get(LISTS_DIRECTORY))
    if (common) for (const each of cutoffs.values()) each.push(common)
    return cutoffs
  }

  /** How much of the cache's limit is left for entries and values. */
  #maxLiveBytes(): number {
    const { environment, layout, limits, namespaces } = this.#input
    let liveBytes = requiredLimits(limits.whole).maxSizeBytes
    if (liveBytes === Number.POSITIVE_INFINITY) return liveBytes
    liveBytes -= fileBytes(environment.files, layout.history)
    for (const directory of namespaces.directories()) {
      liveBytes -= fileBytes(environment.files, layout.counters(directory))
    }
    return liveBytes
  }

  /**
   * Returns the packs to rewrite: those with enough garbage, those that are retired or empty, and the next worst ones while the
   * cache is over its limit. Also returns the packs with garbage that stay.
   */
  #choosePacks(): void {
    const { packs } = this.#input.blobs
    const maxBytes = this.#maxLiveBytes()
    const contents = this.#census.contents()
    const numbers = packs.numbers()
    const uses = numbers.map(pack => {
      const { blobCount, blobBytes } = contents.get(pack) ?? { blobCount: 0, blobBytes: 0 }
      return { pack, sizeBytes: packs.sizeOf(pack), garbageBytes: packs.garbageBytes(pack, blobCount, blobBytes) }
    })
    let totalBytes = this.#census.liveCost + garbageIn(uses)
    for (const use of uses.sort((a, b) => b.garbageBytes - a.garbageBytes)) {
      const { pack, sizeBytes, garbageBytes } = use
      const isMuch = isWorthRewriting(sizeBytes, garbageBytes) || totalBytes > maxBytes
      const isEmptied = packs.isRetired(pack) || (sizeBytes === 0 && pack !== numbers.at(-1))
      if (isEmptied || (garbageBytes > 0 && isMuch)) {
        this.#chosen.push(use)
        totalBytes -= garbageBytes
      } else if (garbageBytes > 0) this.#left.push(use)
    }
  }

  #count({ removal: { cause }, isExcess }: Drop): void {
    if (isExcess) this.#report.evictedEntries++
    else if (cause === 'expired') this.#report.expiredEntries++
    else if (cause === 'evicted') this.#report.unusedEntries++
    else this.#report.staleEntries++
  }

  /** Restores ties of entries a full disk kept. */
  #giveTiesBack(drops: readonly Drop[], isList: boolean): void {
    const nowMs = this.#input.now()
    for (const cutoff of new Set([...(this.#cutoffs?.values() ?? [])].flat())) {
      for (const { stored } of drops) {
        if (isCutOff({ rank: cutoff.rank, ties: 1 }, stored.entry, nowMs, isList)) cutoff.ties++
      }
    }
  }

  /** Finds the packs of blobs that were moved since an entry that refers to them was written. */
  *#locate(): Choosing<void> {
    const { index } = this.#input.blobs
    for (let hash = 0; hash < HASH_END; ) {
      const { part, next } = index.partAt(hash)
      for (const record of part?.records() ?? []) this.#census.locate(positionOf(record.key), locationIn(record))
      hash = next
      yield
    }
  }
}

/** Lists of inputs are internal: callers don't see them. */
function isCounted({ directory }: CollectedNamespace): boolean {
  return directory !== LISTS_DIRECTORY
}

function packsOf(uses: readonly PackUse[]): Set<number> {
  return new Set(uses.map(({ pack }) => pack))
}

function garbageIn(uses: readonly PackUse[]): number {
  return uses.reduce((bytes, { garbageBytes }) => bytes + garbageBytes, 0)
}
