// Keeps a cache within its bounds by short slices of work in the processes that set; `upkeep` says when.
//
// Guarantees: one process at a time takes a slice, of some 20 ms; a process that dies in the middle leaves its round to the
// next.
//
// Not guaranteed: that the bounds hold at any moment. Between two looks each process may set a thirty-second of what is
// allowed, and a round goes on beside the sets. So a round begins before a bound is reached; past it each set takes a slice,
// or waits for that of another process.

import { type Layout, PACK_BYTES } from '../base/layout.js'
import { waitSync } from '../base/wait.js'
import { fileBytes } from '../files/disk-usage.js'
import type { Bounds } from '../policy/bounds.js'
import { type CacheBounds, limitsOf } from '../policy/bounds.js'
import { Journal, type UpkeepState } from './journal.js'
import { acquire, release } from './lock.js'
import { Round, type RoundInput, type RoundState } from './round.js'
import { type Cut, Sample } from './sample.js'

export interface UpkeepInput extends RoundInput {
  layout: Layout
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
  #isUrgent = false
  #taken: Taken = { sliceAt: undefined, hasLooked: false, maxSetCount: 0, maxSetBytes: 0 }

  constructor(input: UpkeepInput) {
    this.#input = input
    this.#journal = new Journal(input.environment, input.layout.upkeep)
    this.#round = new Round(input, blob => this.#journal.isMarked(blob))
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
    const { environment, layout } = this.#input
    if (!isMuch && this.#isIdle(this.#journal.read())) {
      this.#taken.sliceAt = undefined
      return
    }
    const start = performance.now()
    while (!acquire(environment.files, layout.gcLock, true)) {
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
      release(environment.files, layout.gcLock)
    }
  }

  #takeSlice(start: number, isMuch: boolean): void {
    const { environment } = this.#input
    const isOver = () => performance.now() - start >= SLICE_MS
    environment.turn.end()
    // What this process has used since is not written down yet.
    for (const { manifest } of this.#input.namespaces()) manifest.flush()
    // Another process may have had the lock until now.
    const found = this.#journal.read()
    let state = found?.phase === 'idle' ? undefined : found
    if (isMuch || !state) this.#look()
    if (!state) {
      state = this.#begin(isOver)
      this.#journal.begin(state ?? this.#rest(IDLE_MS))
    }
    const round = this.#round
    while (state && !isOver()) {
      const next: RoundState | undefined = round.step(state)
      // The marks must all be in the journal before anything is rewritten.
      if (state.phase === 'mark' && next?.phase !== 'mark') this.#journal.write(next ?? state, round.takeMarks())
      state = next
      if (state) continue
      this.#isUrgent = this.#isTooLarge(URGENT_SHARE)
      this.#journal.begin(this.#rest(this.#isTooLarge(1) ? RETRY_MS : IDLE_MS))
    }
    if (state) this.#journal.write(state, round.takeMarks())
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
    const { whole, namespaces } = this.#input.bounds()
    const limits = [whole, ...namespaces.values()].map(limitsOf)
    this.#taken.maxSetBytes = Math.min(...limits.map(({ maxSizeBytes }) => maxSizeBytes)) * SIZE_LOOK_SHARE
    // In a cache of few packs, each would hold so much that is alive that giving a part of one up costs copying all of it.
    const packBytes = limitsOf(whole).maxSizeBytes * PACK_SHARE
    this.#input.blobs.packs.limitBytes = Math.min(PACK_BYTES, Math.max(MIN_PACK_BYTES, packBytes))
    this.#taken.maxSetCount = Math.min(...limits.map(({ maxEntries }) => maxEntries)) * SIZE_LOOK_SHARE
  }

  #look(): void {
    this.#taken.hasLooked = true
    this.#readBounds()
    this.#isUrgent = this.#isTooLarge(URGENT_SHARE)
  }

  #isTooLarge(share: number): boolean {
    const { environment, layout, bounds } = this.#input
    return fileBytes(environment.files, layout.version) > limitsOf(bounds().whole).maxSizeBytes * share
  }

  /** The state that a new round begins with; undefined when none is needed. */
  #begin(isOver: () => boolean): RoundState | undefined {
    const { environment, blobs, layout, bounds, now } = this.#input
    const { packs } = blobs
    const { files } = environment
    const { whole, namespaces: named } = bounds()
    const namespaces = this.#input.namespaces()
    const sample = new Sample(namespaces, Math.floor(environment.random() * 2 ** 32), isOver)
    const cuts: Record<string, Cut> = {}
    for (const { name, directory } of namespaces) {
      const limits = limitsOf(named.get(name))
      const isFull = sample.cut(partOf(limits, FULL_SHARE), now(), directory)
      const cut = isFull && sample.cut(partOf(limits, KEPT_SHARE), now(), directory)
      if (cut) cuts[directory] = cut
    }
    const sizeBytes = fileBytes(files, layout.version)
    const full = partOf(limitsOf(whole), FULL_SHARE)
    const isFull =
      sizeBytes > full.maxSizeBytes || sample.cut({ ...full, maxSizeBytes: Number.POSITIVE_INFINITY }, now())
    if (!isFull && Object.keys(cuts).length === 0) return undefined
    // What a round cannot make less: counters, the memo and the like.
    const allPackBytes = fileBytes(files, layout.packs)
    let fixedBytes = sizeBytes - allPackBytes - fileBytes(files, layout.blobIndex)
    for (const { directory } of namespaces) fixedBytes -= fileBytes(files, layout.manifest(directory))
    const kept = partOf(limitsOf(whole), KEPT_SHARE)
    const cut = sample.cut({ ...kept, maxSizeBytes: kept.maxSizeBytes - fixedBytes }, now(), undefined, allPackBytes)
    const excessBytes = Math.max(0, sizeBytes - full.maxSizeBytes)
    return {
      phase: 'drop',
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
