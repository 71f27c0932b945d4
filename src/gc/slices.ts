// Keeps a cache within its bounds by short slices of work in the processes that set; `upkeep` says when.
//
// Guarantees: one process at a time takes a slice, of some 20 ms; a process that dies in the middle leaves its round to the
// next.
//
// Not guaranteed: that the bounds hold at any moment. Between two looks each process may set a thirty-second of what is
// allowed, and a round goes on beside the sets. So a round begins before a bound is reached; past it each set takes a slice,
// or waits for that of another process.

import { escapeNamespace, PACK_BYTES } from '../base/layout.js'
import { waitSync } from '../base/wait.js'
import { fileBytes } from '../files/disk-usage.js'
import { type Bounds, type CacheBounds, limitsOf } from '../policy/bounds.js'
import { Journal, type UpkeepState } from './journal.js'
import { Lock } from './lock.js'
import { type DropState, type MeasureState, Round, type RoundInput, type RoundState } from './round.js'
import { type Cut, Sample } from './sample.js'

export interface UpkeepInput extends RoundInput {
  bounds(): CacheBounds
}

/** What a process that took a slice, or tried to, is to know. */
export interface Taken {
  /** When the next slice is due, in ms of the process's life; undefined while no round is under way. */
  sliceAt: number | undefined
  /** Whether the sizes were looked at. */
  hasLooked: boolean
  /** What the process may set until it looks at them. */
  maxSetCount: number
  maxSetBytes: number
}

const SLICE_MS = 20
/** A slice is followed by this many times its own length without one, as long as there is not too much. */
const REST = 3
/** Between two tries to take a slice while another process does. */
const PAUSE_MS = 1
/** A round begins at this share of what is allowed, */
const FULL_SHARE = 0.9
/** leaves this one, */
const KEPT_SHARE = 0.8
/** and past this one sets wait for it. */
const URGENT_SHARE = 0.95
/** How long nobody looks at the sizes again, unless he sets much himself. */
const IDLE_MS = 10 * 60_000
/** The same after a round that has not achieved its end, such as that of a cache whose bound is less than empty files take. */
const RETRY_MS = 1000
/** A process looks at the sizes after setting this share of what is allowed. */
const SIZE_LOOK_SHARE = 1 / 32

/** Packs are rotated at this share of what is allowed, within limits. */
const PACK_SHARE = 1 / 16
const MIN_PACK_BYTES = 256 * 1024

export function createSlices(input: UpkeepInput): Slices {
  return new SliceTaker(input)
}

export interface Slices {
  /**
   * Takes a slice of the round under way, or sees whether one is needed, if it is time for that. `isMuch`: so much was set
   * that the sizes are to be looked at. @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  take(isMuch: boolean): Taken
  close(): void
}

class SliceTaker implements Slices {
  readonly #input: UpkeepInput
  readonly #journal: Journal
  readonly #round: Round
  readonly #lock: Lock
  #bounds: CacheBounds
  /** What there was when it was last measured, and the packs' part of it. */
  #measured = { bytes: 0, packBytes: 0 }
  #isUrgent = false
  #taken: Taken = { sliceAt: undefined, hasLooked: false, maxSetCount: 0, maxSetBytes: 0 }

  constructor(input: UpkeepInput) {
    const { environment, layout } = input
    this.#input = input
    this.#journal = new Journal(environment, layout.upkeep)
    this.#round = new Round(input, blob => this.#journal.isMarked(blob))
    this.#lock = new Lock(environment.files, layout.gcLock, environment.random)
    this.#bounds = input.bounds()
    this.#readBounds()
  }

  take(isMuch: boolean): Taken {
    this.#taken.hasLooked = false
    this.#take(isMuch)
    return this.#taken
  }

  close(): void {
    this.#journal.close()
  }

  #take(isMuch: boolean): void {
    if (!isMuch && this.#isIdle(this.#journal.read())) {
      this.#taken.sliceAt = undefined
      return
    }
    const start = performance.now()
    while (!this.#lock.acquire()) {
      const now = performance.now()
      if (!this.#isUrgent || now - start > SLICE_MS) {
        this.#taken.sliceAt = now + (this.#isUrgent ? 0 : SLICE_MS)
        return
      }
      waitSync(PAUSE_MS)
    }
    try {
      this.#takeSlice(performance.now(), isMuch)
    } finally {
      this.#lock.release()
    }
  }

  #takeSlice(start: number, isMuch: boolean): void {
    const { environment } = this.#input
    const isOver = () => performance.now() - start >= SLICE_MS
    environment.turn.end()
    // Another process may have had the lock until now.
    const found = this.#journal.read()
    let state: RoundState | undefined = found?.phase === 'idle' ? undefined : found
    if (isMuch || !state) {
      this.#taken.hasLooked = true
      this.#readBounds()
    }
    if (!state) {
      state = this.#round.begin()
      this.#journal.begin(state)
    }
    const decide = (measured: MeasureState) => this.#decide(measured, isOver)
    do {
      const next: RoundState | undefined = this.#round.step(state, decide)
      // The marks must all be in the journal before anything is rewritten.
      if (state.phase === 'mark' && next?.phase !== 'mark') this.#journal.write(next ?? state, this.#round.takeMarks())
      state = next
    } while (state && !isOver())
    if (state) this.#journal.write(state, this.#round.takeMarks())
    else this.#journal.begin(this.#rest(this.#isTooLarge(1) ? RETRY_MS : IDLE_MS))
    this.#isUrgent = this.#isTooLarge(URGENT_SHARE)
    const now = performance.now()
    this.#taken.sliceAt = state && now + (this.#isUrgent ? 0 : REST * (now - start))
  }

  #isIdle(state: UpkeepState | undefined): boolean {
    if (state?.phase !== 'idle') return false
    const leftMs = state.dueMs - this.#input.now()
    // A clock that was set back must not put it off for ever.
    return leftMs > 0 && leftMs <= IDLE_MS
  }

  #rest(ms: number): UpkeepState {
    return { phase: 'idle', dueMs: this.#input.now() + ms }
  }

  #readBounds(): void {
    this.#bounds = this.#input.bounds()
    const { whole, namespaces } = this.#bounds
    const limits = [whole, ...namespaces.values()].map(limitsOf)
    this.#taken.maxSetBytes = Math.min(...limits.map(({ maxSizeBytes }) => maxSizeBytes)) * SIZE_LOOK_SHARE
    // In a cache of few packs, each would hold so much that is alive that giving a part of one up costs copying all of it.
    const packBytes = limitsOf(whole).maxSizeBytes * PACK_SHARE
    this.#input.blobs.packs.limitBytes = Math.min(PACK_BYTES, Math.max(MIN_PACK_BYTES, packBytes))
    this.#taken.maxSetCount = Math.min(...limits.map(({ maxEntries }) => maxEntries)) * SIZE_LOOK_SHARE
  }

  #packBytes(): number {
    const { environment, layout } = this.#input
    return fileBytes(environment.files, layout.packs)
  }

  /** As far as this process knows: it looks at the packs, and takes what else there is to have grown with them. */
  #isTooLarge(share: number): boolean {
    const { bytes, packBytes } = this.#measured
    const grown = this.#packBytes() - packBytes
    const factor = grown > 0 && packBytes > 0 ? bytes / packBytes : 1
    return bytes + grown * factor > limitsOf(this.#bounds.whole).maxSizeBytes * share
  }

  /** The state that dropping begins with; undefined when nothing is to be dropped. */
  #decide({ id, manifestBytes, otherBytes, chosen }: MeasureState, isOver: () => boolean): DropState | undefined {
    const { environment, blobs, layout, namespaces, now } = this.#input
    const { files, random } = environment
    const { packs } = blobs
    const { whole, namespaces: named } = this.#bounds
    const allPackBytes = this.#packBytes()
    const indexBytes = fileBytes(files, layout.blobIndex)
    // What a cycle cannot make less: counters, the memo and the like.
    const fixedBytes =
      otherBytes + fileBytes(files, layout.fileHashes) + (files.linkStat(layout.upkeep)?.sizeBytes ?? 0)
    const sizeBytes = fixedBytes + manifestBytes + allPackBytes + indexBytes
    this.#measured = { bytes: sizeBytes, packBytes: allPackBytes }
    const sampling = { namespaces, nowMs: now(), random, isOver }
    const cuts: Record<string, Cut> = {}
    for (const [name, bounds] of named) {
      const limits = limitsOf(bounds)
      const directory = escapeNamespace(name)
      const sample = new Sample(sampling, [{ directory, bytes: 1, rank: 1 }], 1)
      const isFull = sample.cut(partOf(limits, FULL_SHARE), now())
      const cut = isFull && sample.cut(partOf(limits, KEPT_SHARE), now())
      if (cut) cuts[directory] = cut
    }
    const sample = new Sample(sampling, chosen, manifestBytes)
    const full = partOf(limitsOf(whole), FULL_SHARE)
    const isFull =
      sizeBytes > full.maxSizeBytes || sample.cut({ ...full, maxSizeBytes: Number.POSITIVE_INFINITY }, now())
    if (!isFull && Object.keys(cuts).length === 0) return undefined
    const kept = partOf(limitsOf(whole), KEPT_SHARE)
    const cut = sample.cut({ ...kept, maxSizeBytes: kept.maxSizeBytes - fixedBytes }, now(), allPackBytes)
    const excessBytes = Math.max(0, sizeBytes - full.maxSizeBytes)
    return {
      phase: 'drop',
      id,
      directory: '',
      place: 0,
      cut: isFull ? cut : undefined,
      cuts,
      excessBytes,
      packBytes: Object.fromEntries(packs.numbers().map(pack => [pack, packs.sizeOf(pack)])),
      liveBytes: {},
    }
  }
}

/** This share of the limits; an age is what it is. */
function partOf({ maxSizeBytes, maxEntries, maxAgeMs }: Required<Bounds>, share: number): Required<Bounds> {
  return { maxSizeBytes: maxSizeBytes * share, maxEntries: maxEntries * share, maxAgeMs }
}
