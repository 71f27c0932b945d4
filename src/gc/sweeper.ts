// Gives back the packs that a gc has found garbage in: what there is to do about each, in which order, and what of the index goes
// with them.
//
// Packs without anything alive go first, without a write; the others from the one on that has the least alive. One that there
// is no room to copy is given up whole: its entries are dropped afterwards, as those that were used least recently are.

import type { GcReport } from '../api/index.js'
import { locationIn, positionOf } from '../blobs/blobs.js'
import type { RecordView } from '../log-map/record.js'
import type { StoredEntry } from '../manifest/manifest.js'
import { blobLength } from '../packs/packs.js'
import { MIN_DEAD_SHARE } from '../policy/policy.js'
import { BlobTable } from './blob-table.js'
import type { Census } from './census.js'
import { forEachNamespace, type GcInput } from './input.js'
import type { Pace } from './pace.js'
import { hasRoomFor, ifRoom } from './room.js'
import { choosePacks, markBlobs, type PackChoice, type PackUse, Rewrite } from './sweep.js'

const PLACES = 2 ** 32
/** Of a pack so much is rewritten as takes about this long, before others get their turn. */
const PIECE_MS = 50
/** The share of a bucket's records from which on it is rewritten without them; fewer are removed one by one. */
const MIN_USELESS_SHARE = 0.2

export class Sweeper {
  readonly #input: GcInput
  readonly #pace: Pace
  readonly #census: Census
  readonly #maxLiveBytes: number
  readonly #report: GcReport
  /** Packs that were removed with all that was in them. */
  readonly #emptied = new Set<number>()
  #choice: PackChoice = { chosen: [], left: [], garbageBytes: 0 }
  /** Whether there are entries whose values are not there. */
  hasDangling = false

  constructor(input: GcInput, pace: Pace, census: Census, maxLiveBytes: number, report: GcReport) {
    this.#input = input
    this.#pace = pace
    this.#census = census
    this.#maxLiveBytes = maxLiveBytes
    this.#report = report
  }

  /** Finds the packs of blobs that were moved since an entry that refers to them was written. */
  async locate(): Promise<void> {
    const census = this.#census
    if (census.isIncomplete) {
      await this.#eachRecord(record => census.locate(record, locationIn(record)))
      this.hasDangling = census.isIncomplete
    }
    this.#report.keptBlobs = census.liveBlobs
    this.#choice = choosePacks(this.#input.blobs, census, this.#maxLiveBytes)
    this.#report.deadBytes = this.#choice.left.reduce((sum, { garbageBytes }) => sum + garbageBytes, 0)
  }

  /** What a sweep would come to; returns the bytes that it would give back. */
  async estimate(): Promise<number> {
    const { chosen, left, garbageBytes } = this.#choice
    const [going, staying] = [chosen, left].map(uses => new Set(uses.map(({ pack }) => pack))) as [
      Set<number>,
      Set<number>,
    ]
    if (going.size + staying.size === 0) return 0
    await this.#eachRecord(record => {
      const { pack } = locationIn(record)
      if (this.#census.isLive(record)) return
      if (going.has(pack)) this.#report.removedBlobs++
      if (staying.has(pack)) this.#report.deadBlobs++
    })
    return garbageBytes
  }

  /** `isToGo`: entries that still stand there and are to be dropped. */
  async sweep(isToGo?: (namespace: string, stored: StoredEntry) => boolean): Promise<void> {
    const { environment, blobs, layout } = this.#input
    const { packs } = blobs
    const retired = this.#choice.chosen.filter(use => this.#retire(use)).map(({ pack }) => pack)
    // Every set from here on finds, when it confirms its blobs, that these packs are gone, and everything set before is in
    // the manifests now.
    environment.turn.end()
    if (retired.length === 0) return
    const { marks, liveBytes } = await this.#mark(retired, isToGo)
    const rewrite = new Rewrite(blobs, blob => marks.rowOf(blob) >= 0, PIECE_MS)
    const order = retired.toSorted((a, b) => (liveBytes.get(a) ?? -1) - (liveBytes.get(b) ?? -1))
    for (const [at, pack] of order.entries()) {
      const fraction = at / order.length
      const bytes = liveBytes.get(pack)
      const hasRoom = () => hasRoomFor(environment.files, layout.packs, bytes ?? 0)
      const isRewritten = bytes !== undefined && hasRoom() && (await this.#rewrite(rewrite, pack, fraction, hasRoom))
      if (!isRewritten) {
        if (bytes !== undefined) this.hasDangling = true
        this.#emptied.add(pack)
        packs.remove(pack)
        await this.#pace.pause('values', fraction)
      }
    }
  }

  /** Has the index forget what is gone, and counts what stays without being of use. */
  async tidyIndex(): Promise<void> {
    const { blobs, environment } = this.#input
    const { index, packs } = blobs
    const isThere = packs.places()
    const isUseless = (record: RecordView) => !isThere(locationIn(record))
    const left = new Set(this.#choice.left.map(({ pack }) => pack))
    environment.turn.end()
    for (let place = 0; place < PLACES; ) {
      const { part, next } = index.partAt(place)
      const records = left.size + this.#emptied.size > 0 ? (part?.records() ?? []) : []
      const useless = records.filter(isUseless)
      for (const record of useless) if (this.#emptied.has(locationIn(record).pack)) this.#report.removedBlobs++
      for (const record of records) {
        if (left.has(locationIn(record).pack) && !this.#census.isLive(record)) this.#report.deadBlobs++
      }
      if (useless.length > 0 && useless.length >= records.length * MIN_USELESS_SHARE) {
        ifRoom(() => index.compactAt(place, isUseless))
      } else {
        const refs = useless.map(record => ({ id: Buffer.from(record.key), location: locationIn(record) }))
        ifRoom(() => blobs.unindex(refs))
        ifRoom(() => index.compactAt(place))
      }
      place = next
      await this.#pace.pause('values', 1)
    }
  }

  /** Whether the pack is retired now; where there is no room to say so, or to copy what is mostly alive, it is left as it is. */
  #retire({ pack, sizeBytes, garbageBytes }: PackUse): boolean {
    const { environment, blobs, layout } = this.#input
    const { packs } = blobs
    const isMostlyDead = garbageBytes >= sizeBytes * MIN_DEAD_SHARE
    const hasRoom = () => hasRoomFor(environment.files, layout.packs, sizeBytes - garbageBytes)
    if (!isMostlyDead && !packs.isRetired(pack) && !hasRoom()) return false
    return (
      ifRoom(() => {
        packs.retire(pack)
        return true
      }) ?? false
    )
  }

  /** Whether the pack was copied and removed; false when there was no room, because others have taken it. */
  async #rewrite(rewrite: Rewrite, pack: number, fraction: number, hasRoom: () => boolean): Promise<boolean> {
    for (let from: number | undefined = 0; from !== undefined; ) {
      const start: number = from
      const done = hasRoom() ? rewrite.next(pack, start) : ifRoom(() => rewrite.next(pack, start))
      if (!done) return false
      this.#report.removedBlobs += done.removedBlobs
      from = done.next
      await this.#pace.pause('values', fraction)
    }
    rewrite.remove(pack)
    return true
  }

  /** The blobs that any entry refers to now, and what of the retired packs they take, by pack. */
  async #mark(
    retired: readonly number[],
    isToGo: ((namespace: string, stored: StoredEntry) => boolean) | undefined,
  ): Promise<{ marks: BlobTable; liveBytes: Map<number, number> }> {
    const { namespaces, blobs } = this.#input
    const marks = new BlobTable()
    /** Those that are not where their entries say. */
    const moved = new BlobTable()
    const going = new Set(retired)
    const isThere = blobs.packs.places()
    const liveBytes = new Map<number, number>()
    const add = (pack: number, bytes: number) => liveBytes.set(pack, (liveBytes.get(pack) ?? 0) + bytes)
    await forEachNamespace(namespaces, async ({ manifest, name }) => {
      const isMarked = (stored: StoredEntry) => !isToGo?.(name, stored)
      const visit = ({ entry: { blob } }: StoredEntry, isNew: boolean) => {
        const { pack } = blob.location
        if (!isThere(blob.location)) moved.add(positionOf(blob.id))
        else if (going.has(pack)) add(pack, isNew ? blobLength(blob.id) : 0)
      }
      for (let place = 0; place < PLACES; ) {
        place = markBlobs(manifest, place, marks, visit, isMarked)
        await this.#pace.pause('values', 0)
      }
    })
    if (moved.count > 0) {
      await this.#eachRecord(record => {
        const { pack } = locationIn(record)
        if (going.has(pack) && moved.rowOf(record) >= 0) add(pack, blobLength(record.key))
      })
    }
    return { marks, liveBytes }
  }

  async #eachRecord(visit: (record: RecordView) => void): Promise<void> {
    const { index } = this.#input.blobs
    for (let place = 0; place < PLACES; ) {
      const { part, next } = index.partAt(place)
      for (const record of part?.records() ?? []) visit(record)
      place = next
      await this.#pace.pause('values', 0)
    }
  }
}
