// One cycle of the background gc, in steps of a few milliseconds that any process may take, each from the state that the last one
// left: measure what there is; drop what is cut off, bucket by bucket; retire packs; mark what is alive in them, bucket by bucket;
// rewrite them, some kilobytes at a time; sync what took their place, and remove them; compact the index. What `gc` does in one go
// and in memory, with an estimate in place of its census.

import { BLOB_BYTES_START, type Layout } from '../base/layout.js'
import { positionOf } from '../blobs/blobs.js'
import { fileBytes } from '../files/disk-usage.js'
import type { Position } from '../log-map/record.js'
import { dropOf, type EntryChange } from '../manifest/manifest.js'
import { blobLength } from '../packs/packs.js'
import { isExpired, MIN_DEAD_SHARE } from '../policy/policy.js'
import { lastUseOf } from './census.js'
import type { CollectedNamespace, GcInput } from './input.js'
import { type Chosen, type Cut, choose } from './sample.js'
import { Rewrite } from './sweep.js'

/** Where a walk through all manifests is: in this directory, or the next one after it. */
interface Cursor {
  directory: string
  place: number
}

interface Common {
  /** Of the cycle: the names of the namespaces are listed anew in each, and in each phase. */
  id: number
}

export interface MeasureState extends Common, Cursor {
  phase: 'measure'
  /** Of all manifests, and of all else below the namespaces. */
  manifestBytes: number
  otherBytes: number
  chosen: Chosen[]
}

export interface DropState extends Common, Cursor {
  phase: 'drop'
  /** Of all entries, */
  cut?: Cut | undefined
  /** and of those of a namespace, by directory. */
  cuts: Record<string, Cut>
  /** By how much the files are too long. */
  excessBytes: number
  /** By pack, its length when the cycle began: what is set meanwhile may lie in packs that the walk has not seen it in. */
  packBytes: Record<string, number>
  /** By pack, what entries said so far. */
  liveBytes: Record<string, number>
}

interface MarkState extends Common, Cursor {
  phase: 'mark'
  packs: number[]
}

interface RewriteState extends Common {
  phase: 'rewrite'
  packs: number[]
  /** Where to go on in the first of them. */
  from: number
}

/** The first of the packs was rewritten. */
interface SyncState extends Common {
  phase: 'sync'
  packs: number[]
  /** Those that may hold what was in it, and are not synced yet, */
  targets: number[]
  /** then the index. */
  place: number
}

interface CompactState extends Common {
  phase: 'compact'
  place: number
}

export type RoundState = MeasureState | DropState | MarkState | RewriteState | SyncState | CompactState

export interface RoundInput extends Pick<GcInput, 'environment' | 'blobs' | 'namespaces' | 'now'> {
  layout: Layout
}

const PLACES = 2 ** 32
/** A step that rewrites a pack takes about so long. */
const STEP_MS = 3

export class Round {
  readonly #input: RoundInput
  readonly #rewrite: Rewrite
  #marks: Position[] = []
  /** The namespaces, as they were listed for a phase of a cycle. */
  #listed = { key: '', directories: [] as string[] }

  constructor(input: RoundInput, isMarked: (blob: Position) => boolean) {
    this.#input = input
    this.#rewrite = new Rewrite(input.blobs, isMarked, STEP_MS)
  }

  begin(): MeasureState {
    const { random } = this.#input.environment
    const id = Math.floor(random() * 2 ** 32)
    return { phase: 'measure', id, directory: '', place: 0, manifestBytes: 0, otherBytes: 0, chosen: [] }
  }

  /**
   * Takes one step; undefined when the cycle is over. `decide` is asked what to do about what was measured.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  step(state: RoundState, decide: (measured: MeasureState) => DropState | undefined): RoundState | undefined {
    switch (state.phase) {
      case 'measure':
        return this.#atCursor(state, at => this.#measure(at, state)) ?? decide(state)
      case 'drop':
        return this.#atCursor(state, at => this.#drop(at, state)) ?? this.#retire(state)
      case 'mark': {
        const { id, packs } = state
        return this.#atCursor(state, at => this.#mark(at)) ?? { phase: 'rewrite', id, packs, from: 0 }
      }
      case 'rewrite':
        return this.#rewriteOn(state)
      case 'sync':
        return this.#sync(state)
      case 'compact': {
        const place = this.#input.blobs.index.compactAt(state.place)
        return place < PLACES ? { ...state, place } : undefined
      }
    }
  }

  /** Blobs that were found alive since the last call. */
  takeMarks(): Position[] {
    const marks = this.#marks
    this.#marks = []
    return marks
  }

  #measure({ directory }: CollectedNamespace, state: MeasureState): number {
    const { environment, layout } = this.#input
    const { files, random } = environment
    const manifestBytes = fileBytes(files, layout.manifest(directory))
    state.manifestBytes += manifestBytes
    state.otherBytes += fileBytes(files, layout.counters(directory))
    state.chosen = choose(state.chosen, directory, manifestBytes, random)
    return PLACES
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
      } else if (isCutOff(lastUseOf(stored.entry, now()))) {
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
  #retire({ id, packBytes, liveBytes, excessBytes }: DropState): RoundState {
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
    if (chosen.length === 0) return { phase: 'compact', id, place: 0 }
    return { phase: 'mark', id, packs: chosen, directory: '', place: 0 }
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

  #rewriteOn({ id, packs, from }: RewriteState): RoundState {
    const [pack] = packs
    if (pack === undefined) return { phase: 'compact', id, place: 0 }
    const { next } = this.#rewrite.next(pack, from)
    if (next !== undefined) return { phase: 'rewrite', id, packs, from: next }
    const targets = this.#input.blobs.packs.numbers().filter(each => !this.#input.blobs.packs.isRetired(each))
    return { phase: 'sync', id, packs, targets, place: 0 }
  }

  /** Whichever processes have copied what was in the pack, all of it must be on disk before the pack goes. */
  #sync(state: SyncState): RoundState {
    const { id, packs, targets, place } = state
    const { packs: all, index } = this.#input.blobs
    const [target, ...others] = targets
    if (target !== undefined) {
      all.sync(target)
      return { ...state, targets: others }
    }
    if (place < PLACES) return { ...state, place: index.syncAt(place) }
    const [pack, ...rest] = packs
    all.syncNames()
    if (pack !== undefined) all.remove(pack)
    return { phase: 'rewrite', id, packs: rest, from: 0 }
  }

  /** Works on the bucket at the cursor and moves it on; undefined at the end. `work` returns the place after the bucket. */
  #atCursor<S extends RoundState & Cursor>(state: S, work: (at: CollectedNamespace & Cursor) => number): S | undefined {
    const directory = this.#nextDirectory(state)
    if (directory === undefined) return undefined
    const namespace = this.#input.namespaces.open(directory)
    const place = directory === state.directory ? state.place : 0
    const next = namespace ? work({ ...namespace, directory, place }) : PLACES
    namespace?.close()
    // A space sorts before whatever may come in a directory's name.
    return next < PLACES ? { ...state, directory, place: next } : { ...state, directory: `${directory} `, place: 0 }
  }

  #nextDirectory({ id, phase, directory }: RoundState & Cursor): string | undefined {
    const key = `${id} ${phase}`
    if (this.#listed.key !== key) this.#listed = { key, directories: this.#input.namespaces.directories() }
    const { directories } = this.#listed
    let low = 0
    for (let high = directories.length; low < high; ) {
      const middle = (low + high) >>> 1
      if ((directories[middle] as string) < directory) low = middle + 1
      else high = middle
    }
    return directories[low]
  }
}
