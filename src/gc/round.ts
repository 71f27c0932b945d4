// One round of upkeep, in steps of a few milliseconds that any process may take, each from the state that the last one left:
// drop what is cut off, bucket by bucket; retire packs; mark what is alive in them, bucket by bucket; rewrite them, some
// kilobytes at a time; compact the index. What `gc` does in one go and in memory, with an estimate in place of its census.

import { BLOB_BYTES_START } from '../base/layout.js'
import { positionOf } from '../blobs/blobs.js'
import type { Position } from '../log-map/record.js'
import { dropOf, type EntryChange } from '../manifest/manifest.js'
import { blobLength } from '../packs/packs.js'
import { isExpired } from '../policy/policy.js'
import { lastUseOf } from './census.js'
import type { CollectedNamespace, GcInput } from './input.js'
import type { Cut } from './sample.js'
import { MIN_DEAD_SHARE, Rewrite } from './sweep.js'

/** Where a walk through all manifests is: in this directory, or the next one after it. */
interface Cursor {
  directory: string
  place: number
}

interface DropState extends Cursor {
  phase: 'drop'
  /** Of all entries, */
  cut?: Cut | undefined
  /** and of those of a namespace, by directory. */
  cuts: Record<string, Cut>
  /** By how much the files are too long. */
  excessBytes: number
  /** By pack, its length when the round began: what is set meanwhile may lie in packs that the walk has not seen it in. */
  packBytes: Record<string, number>
  /** By pack, what entries said so far. */
  liveBytes: Record<string, number>
}

interface MarkState extends Cursor {
  phase: 'mark'
  packs: number[]
}

interface RewriteState {
  phase: 'rewrite'
  packs: number[]
  /** Where to go on in the first of them. */
  from: number
}

export type RoundState = DropState | MarkState | RewriteState | { phase: 'compact'; place: number }

export type RoundInput = Pick<GcInput, 'environment' | 'blobs' | 'namespaces' | 'now'>

const PLACES = 2 ** 32
/** A step that rewrites a pack takes about so long. */
const STEP_MS = 3

export class Round {
  readonly #input: RoundInput
  readonly #rewrite: Rewrite
  #marks: Position[] = []

  constructor(input: RoundInput, isMarked: (blob: Position) => boolean) {
    this.#input = input
    this.#rewrite = new Rewrite(input.blobs, isMarked, STEP_MS)
  }

  /** Takes one step; undefined when the round is over. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
  step(state: RoundState): RoundState | undefined {
    switch (state.phase) {
      case 'drop':
        return this.#atCursor(state, at => this.#drop(at, state)) ?? this.#retire(state)
      case 'mark':
        return this.#atCursor(state, at => this.#mark(at)) ?? { phase: 'rewrite', packs: state.packs, from: 0 }
      case 'rewrite':
        return this.#rewriteOn(state)
      case 'compact': {
        const place = this.#input.blobs.index.compactAt(state.place)
        return place < PLACES ? { phase: 'compact', place } : undefined
      }
    }
  }

  /** Blobs that were found alive since the last call. */
  takeMarks(): Position[] {
    const marks = this.#marks
    this.#marks = []
    return marks
  }

  #drop({ manifest, directory, place }: CollectedNamespace & Cursor, state: DropState): number {
    const { environment, now } = this.#input
    const { entries, next } = manifest.partAt(place)
    const cuts = [state.cut, state.cuts[directory]].flatMap(cut => cut ?? [])
    const isCutOff = (lastUse: number) =>
      cuts.some(cut => lastUse < cut.lastUse || (lastUse === cut.lastUse && environment.random() < cut.share))
    const drops: EntryChange[] = []
    for (const stored of entries) {
      const { createdAt, ttlMs, blob } = stored.entry
      if (ttlMs !== undefined && isExpired(createdAt, ttlMs, now())) {
        drops.push(dropOf(stored, { cause: 'expired' }))
      } else if (isCutOff(lastUseOf(stored.entry))) {
        drops.push(dropOf(stored, { cause: 'evicted' }))
      } else {
        const { pack } = blob.location
        state.liveBytes[pack] = (state.liveBytes[pack] ?? 0) + blobLength(blob.id) + BLOB_BYTES_START
      }
    }
    manifest.write(drops)
    if (drops.length > 0) manifest.compactAt(place)
    return next
  }

  /**
   * Retires packs with garbage worth it, and the oldest one where there is none such but still too much: shared values count
   * several times in `liveBytes`, so its garbage may not show.
   */
  #retire({ packBytes, liveBytes, excessBytes }: DropState): RoundState {
    const { environment, blobs } = this.#input
    const { packs } = blobs
    const chosen = packs.numbers().filter(pack => {
      const sizeBytes = packBytes[pack] ?? 0
      const garbageBytes = sizeBytes - (liveBytes[pack] ?? 0)
      return packs.isRetired(pack) || garbageBytes > sizeBytes * MIN_DEAD_SHARE
    })
    const oldest = packs.numbers()[0]
    if (chosen.length === 0 && excessBytes > 0 && oldest !== undefined) chosen.push(oldest)
    for (const pack of chosen) packs.retire(pack)
    // What others have set by now must be in the manifests that are read next.
    environment.turn.end()
    if (chosen.length === 0) return { phase: 'compact', place: 0 }
    return { phase: 'mark', packs: chosen, directory: '', place: 0 }
  }

  /** An entry whose pack is kept has its value there, whatever happens to others. */
  #mark({ manifest, place }: CollectedNamespace & Cursor): number {
    const { packs } = this.#input.blobs
    const keptBytes = new Map<number, number>()
    const { entries, next } = manifest.partAt(place)
    for (const { entry } of entries) {
      const { pack, offset } = entry.blob.location
      if (!keptBytes.has(pack)) keptBytes.set(pack, packs.keptBytes(pack))
      if (offset >= (keptBytes.get(pack) ?? 0)) this.#marks.push(positionOf(entry.blob.id))
    }
    return next
  }

  #rewriteOn({ packs: [pack, ...rest], from }: RewriteState): RoundState {
    if (pack === undefined) return { phase: 'compact', place: 0 }
    const { next } = this.#rewrite.next(pack, from)
    if (next !== undefined) return { phase: 'rewrite', packs: [pack, ...rest], from: next }
    this.#input.blobs.packs.remove(pack)
    return { phase: 'rewrite', packs: rest, from: 0 }
  }

  /** Works on the bucket at the cursor and moves it on; undefined at the end. `work` returns the place after the bucket. */
  #atCursor<S extends Cursor>(state: S, work: (at: CollectedNamespace & Cursor) => number): S | undefined {
    const next = this.#input
      .namespaces()
      .filter(({ directory }) => directory >= state.directory)
      .sort((a, b) => (a.directory < b.directory ? -1 : 1))[0]
    if (!next) return undefined
    const place = work({ ...next, place: next.directory === state.directory ? state.place : 0 })
    // A space sorts before whatever may come in a directory's name.
    return place < PLACES
      ? { ...state, directory: next.directory, place }
      : { ...state, directory: `${next.directory} `, place: 0 }
  }
}
