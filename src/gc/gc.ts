// A garbage collection, from the first look at the entries to the report.
//
// Roots are the manifests; when one cannot be read, nothing is swept. Readers and writers go on all the while, in this
// process as well: the work is cut into pieces of some milliseconds. Killed or aborted between any two, every entry that
// was not dropped is intact (`sweep.ts` says why). A dry run is the same on an overlaid disk, without the lock.

import type { GcReport } from '../api/index.js'
import { CacheError } from '../base/errors.js'
import { locationIn } from '../blobs/blobs.js'
import { diskUsage, fileBytes } from '../files/disk-usage.js'
import type { Removal, RemovalCause } from '../manifest/entry.js'
import { dropOf, type EntryChange, type Manifest, type StoredEntry } from '../manifest/manifest.js'
import { limitsOf } from '../policy/bounds.js'
import { BlobTable } from './blob-table.js'
import { Census } from './census.js'
import { type Cutoff, evict, invalidate, isCutOff } from './choice.js'
import type { GcInput } from './input.js'
import { acquireAfterSlice, release } from './lock.js'
import { Pace } from './pace.js'
import { choosePacks, markBlobs, Rewrite } from './sweep.js'
import { tidy } from './tidy.js'

const PLACES = 2 ** 32
/** Of a pack so much is rewritten as takes about this long, before others get their turn. */
const PIECE_MS = 50

/** @throws CacheError `ERR_CACHE_BUSY`; errno-style errors; the signal's reason: with all live entries intact */
export async function collect(input: GcInput): Promise<GcReport> {
  const { environment, layout, isDryRun, signal } = input
  const { files } = environment
  signal?.throwIfAborted()
  const collection = new Collection(input)
  if (!files.stat(layout.version)) return collection.report
  if (isDryRun) return collection.run()
  if (!(await acquireAfterSlice(files, layout.gcLock)))
    throw new CacheError('ERR_CACHE_BUSY', 'Another gc is running on this cache.')
  try {
    // A round of upkeep that was under way is done with.
    files.remove(layout.upkeep)
    return await collection.run()
  } finally {
    release(files, layout.gcLock)
  }
}

class Collection {
  readonly report: GcReport
  readonly #input: GcInput
  readonly #pace: Pace
  readonly #census: Census
  /** Where the entries of each namespace are in the census. */
  readonly #parts = new Map<string, { directory: string; start: number; end: number }>()
  readonly #namespaceCount: number

  constructor(input: GcInput) {
    const { environment, blobs, layout, isDryRun, signal, onProgress } = input
    const diskBytes = diskUsage(environment.files, layout.version)
    this.#input = input
    this.#pace = new Pace(signal, onProgress)
    this.#namespaceCount = input.namespaces().length
    this.#census = new Census(blobs.packs.numbers())
    this.report = {
      isDryRun,
      expiredEntries: 0,
      staleEntries: 0,
      unusedEntries: 0,
      evictedEntries: 0,
      keptEntries: 0,
      removedBlobs: 0,
      keptBlobs: 0,
      diskBytesBefore: diskBytes,
      diskBytesAfter: diskBytes,
    }
  }

  async run(): Promise<GcReport> {
    const { environment, layout, onProgress } = this.#input
    await this.#dropInvalid()
    await this.#dropExcess()
    await this.#sweep()
    await this.#forgetFiles()
    tidy(this.#input)
    this.report.diskBytesAfter = diskUsage(environment.files, layout.version)
    onProgress?.({ step: 'values', fraction: 1 })
    return this.report
  }

  /** Drops what is expired, stale or too long unused, and takes the rest into the census. */
  async #dropInvalid(): Promise<void> {
    const { snapshotMeans, bounds, now } = this.#input
    const commonMaxAgeMs = limitsOf(bounds.whole).maxAgeMs
    for (const [at, { name, directory, manifest }] of this.#input.namespaces().entries()) {
      const start = this.#census.length
      const maxAgeMs = Math.min(commonMaxAgeMs, limitsOf(bounds.namespaces.get(name)).maxAgeMs)
      await this.#drop(
        manifest,
        at,
        ({ cause }) => this.#countInvalid(cause),
        stored => {
          const removal = this.#isMeant(name) ? invalidate(snapshotMeans, stored, now(), maxAgeMs) : undefined
          if (!removal) this.#census.add(stored)
          return removal
        },
      )
      this.#parts.set(name, { directory, start, end: this.#census.length })
    }
    this.report.keptEntries = this.#census.length
  }

  #countInvalid(cause: RemovalCause): void {
    if (cause === 'expired') this.report.expiredEntries++
    else if (cause === 'evicted') this.report.unusedEntries++
    else this.report.staleEntries++
  }

  /** Drops the least recently used entries where there are too many: of each namespace, then of all. */
  async #dropExcess(): Promise<void> {
    const { bounds } = this.#input
    const cutoffs = new Map<string, Cutoff[]>()
    for (const [name, part] of this.#parts) {
      const limits = limitsOf(bounds.namespaces.get(name))
      const own = this.#isMeant(name) ? await evict(this.#census, limits, this.#pace, part) : undefined
      cutoffs.set(name, own ? [own] : [])
    }
    const limits = { ...limitsOf(bounds.whole), maxSizeBytes: this.#maxLiveBytes() }
    const common = await evict(this.#census, limits, this.#pace)
    if (common) for (const each of cutoffs.values()) each.push(common)
    for (const [at, { name, manifest }] of this.#input.namespaces().entries()) {
      const own = cutoffs.get(name) ?? []
      if (own.length === 0) continue
      const isExcess = ({ entry }: StoredEntry) => own.some(cutoff => isCutOff(cutoff, entry))
      const count = () => {
        this.report.evictedEntries++
        this.report.keptEntries--
      }
      await this.#drop(manifest, at, count, stored => (isExcess(stored) ? { cause: 'evicted' } : undefined))
    }
  }

  /**
   * Drops the entries for which there is a cause, with one write for each bucket. An entry that was set again meanwhile
   * stays.
   */
  async #drop(
    manifest: Manifest,
    at: number,
    count: (removal: Removal) => void,
    choose: (stored: StoredEntry) => Removal | undefined,
  ): Promise<void> {
    for (let place = 0; place < PLACES; ) {
      const { entries, rest, next } = manifest.partAt(place, this.#input.environment.files.now())
      const drops: EntryChange[] = []
      const removals: Removal[] = []
      for (const stored of entries) {
        const removal = choose(stored)
        if (!removal) continue
        removals.push(removal)
        drops.push(dropOf(stored, removal))
      }
      // What leads to no entry any more.
      for (const { key, check, isOfUse } of rest) {
        if (!isOfUse) drops.push({ key, removal: { cause: 'evicted' }, expected: check })
      }
      const isDropped = manifest.write(drops)
      for (const [index, removal] of removals.entries()) if (isDropped[index]) count(removal)
      manifest.compactAt(place)
      place = next
      await this.#pace.pause('entries', (at + place / PLACES) / this.#namespaceCount)
    }
  }

  async #sweep(): Promise<void> {
    const { environment, blobs } = this.#input
    const { packs } = blobs
    if (this.#census.isIncomplete) await this.#locateMoved()
    this.report.keptBlobs = this.#census.liveBlobs
    const chosen = choosePacks(blobs, this.#census, this.#maxLiveBytes())
    for (const pack of chosen) packs.retire(pack)
    // Every set from here on finds, when it confirms its blobs, that these packs are gone, and everything set before is in
    // the manifests now.
    environment.turn.end()
    const marks = chosen.length > 0 ? await this.#mark() : new BlobTable()
    const rewrite = new Rewrite(blobs, blob => marks.rowOf(blob) >= 0, PIECE_MS)
    for (const [at, pack] of chosen.entries()) {
      for (let from: number | undefined = 0; from !== undefined; ) {
        const done = rewrite.next(pack, from)
        this.report.removedBlobs += done.removedBlobs
        from = done.next
        await this.#pace.pause('values', at / chosen.length)
      }
      packs.remove(pack)
    }
    for (let place = 0; place < PLACES; ) {
      place = blobs.index.compactAt(place)
      await this.#pace.pause('values', 1)
    }
  }

  /** The blobs that any entry refers to now. */
  async #mark(): Promise<BlobTable> {
    const marks = new BlobTable()
    for (const { manifest } of this.#input.namespaces()) {
      for (let place = 0; place < PLACES; ) {
        place = markBlobs(manifest, place, marks)
        await this.#pace.pause('values', 0)
      }
    }
    return marks
  }

  /** Finds the packs of blobs that were moved since an entry that refers to them was written. */
  async #locateMoved(): Promise<void> {
    const { index } = this.#input.blobs
    for (let place = 0; place < PLACES; ) {
      const { part, next } = index.partAt(place)
      for (const record of part?.records() ?? []) this.#census.locate(record, locationIn(record).pack)
      place = next
      await this.#pace.pause('values', 0)
    }
  }

  /** Forgets the hashes of files that are gone. */
  async #forgetFiles(): Promise<void> {
    for (let place = 0; place < PLACES; ) {
      place = this.#input.fileHashes.pruneAt(place)
      await this.#pace.pause('values', 1)
    }
  }

  /** What entries and values may take of the cache's bound. */
  #maxLiveBytes(): number {
    const { environment, layout, bounds } = this.#input
    let liveBytes = limitsOf(bounds.whole).maxSizeBytes
    for (const { directory } of this.#parts.values()) {
      liveBytes -= fileBytes(environment.files, layout.counters(directory))
    }
    return liveBytes
  }

  #isMeant(name: string): boolean {
    return this.#input.only === undefined || this.#input.only === name
  }
}
