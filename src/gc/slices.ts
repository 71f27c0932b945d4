// Keeps a cache within its limits by short slices of gc work in the processes that set. `upkeep` decides when.
//
// Guarantees: one process at a time takes a slice, of some 20 ms; a process that dies in the middle leaves its cycle to the
// next.
//
// Not guaranteed: that the limits hold at any moment. Between two looks each process may set a thirty-second of what is
// allowed, and a cycle goes on beside the sets. So a cycle begins before a limit is reached; past it each set takes a slice,
// or waits for that of another process. No set waits for a `gc()`.

import { PACK_BYTES } from '../base/layout.js'
import { waitSync } from '../base/wait.js'
import { fileBytes } from '../files/disk-usage.js'
import { type CacheLimits, requiredLimits } from '../policy/configured-limits.js'
import { Cycle } from './cycle.js'
import { writeHistory } from './history.js'
import type { CycleInput } from './input.js'
import { Journal, type UpkeepState } from './journal.js'
import { Lock } from './lock.js'
import { SampleChoice, type SamplePlan } from './sample-choice.js'
import type { State } from './state.js'

export interface UpkeepInput extends Pick<CycleInput, 'environment' | 'blobs' | 'layout' | 'namespaces' | 'now'> {
  limits(): CacheLimits
}

/** The result of taking a slice, or trying to. */
export interface SliceResult {
  /** When the next slice is due, in ms of the process's life; undefined while no cycle is under way. */
  sliceAt: number | undefined
  /** Whether the sizes were looked at. */
  hasLooked: boolean
  /** What the process may set until it looks at them. */
  maxSetCount: number
  maxSetBytes: number
}

const SLICE_MS = 20
/** A step that rewrites a pack takes about so long. */
const STEP_MS = 3
/** A slice is followed by this many times its own length without one, as long as there is not too much. */
const REST = 3
/** Between two tries to take a slice while another process does. */
const PAUSE_MS = 1
/** Past this share of the limit, sets wait for slices. */
const URGENT_SHARE = 0.95
/** How long no process measures sizes again, unless it sets much itself. */
const IDLE_MS = 10 * 60_000
/** Used instead after a cycle that left too much, such as one whose limit is below the size of empty files. */
const RETRY_MS = 1000
/** A process looks at the sizes after setting this share of what is allowed. */
const SIZE_LOOK_SHARE = 1 / 32

/** Packs are rotated at this share of what is allowed, within limits. */
const PACK_SHARE = 1 / 16
const MIN_PACK_BYTES = 256 * 1024

export function createSlices(input: UpkeepInput): Slices {
  return new Slices(input)
}

export class Slices {
  readonly #input: UpkeepInput
  readonly #journal: Journal
  readonly #choice: SampleChoice
  readonly #cycle: Cycle<SamplePlan>
  readonly #lock: Lock
  #limits: CacheLimits
  /** The measurement that was written to the history last. */
  #noted: { bytes: number } | undefined
  #sliceStart = 0
  #isUrgent = false
  #taken: SliceResult = { sliceAt: undefined, hasLooked: false, maxSetCount: 0, maxSetBytes: 0 }

  constructor(input: UpkeepInput) {
    const { environment, layout } = input
    this.#input = input
    this.#journal = new Journal(environment, layout.upkeep)
    this.#choice = new SampleChoice({ ...input, limits: () => this.#limits, isOver: () => this.#isOver(SLICE_MS / 2) })
    this.#cycle = new Cycle(input, this.#choice, this.#journal, STEP_MS)
    this.#lock = new Lock(environment.files, layout.gcLock, environment.random)
    this.#limits = input.limits()
    this.#readLimits()
  }

  /**
   * Takes a slice of the cycle under way, or sees whether one is needed, if it is time for that. `isMuch`: so much was set
   * that the sizes are to be looked at. @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  take(isMuch: boolean): SliceResult {
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
      // Otherwise a process that is late for every slice would never learn that the cache is over its limit.
      this.#isUrgent = !this.#lock.isHeldForLong() && (this.#isUrgent || this.#isTooLarge(URGENT_SHARE))
      if (!this.#isUrgent || now - start > SLICE_MS) {
        this.#taken.sliceAt = now + (this.#isUrgent ? 0 : SLICE_MS)
        return
      }
      waitSync(PAUSE_MS)
    }
    try {
      this.#takeSlice(isMuch)
    } finally {
      this.#cycle.close()
      this.#lock.release()
    }
  }

  #takeSlice(isMuch: boolean): void {
    this.#sliceStart = performance.now()
    this.#input.environment.tick.end()
    // Another process may have had the lock until now.
    const found = this.#journal.read()
    let state: State<SamplePlan> | undefined = found?.phase === 'idle' ? undefined : found
    if (isMuch || !state) {
      this.#taken.hasLooked = true
      this.#readLimits()
    }
    if (!state) {
      state = this.#cycle.begin()
      this.#journal.begin(state)
    }
    do {
      const next: State<SamplePlan> | undefined = this.#cycle.step(state)
      // The marks must all be in the journal before anything is rewritten.
      if (next && state.phase === 'mark' && next.phase !== 'mark' && !this.#journal.write(next)) return
      state = next
    } while (state && !this.#isOver(SLICE_MS))
    if (state) this.#journal.write(state)
    else this.#journal.begin({ phase: 'idle', dueMs: this.#input.now() + (this.#isTooLarge(1) ? RETRY_MS : IDLE_MS) })
    const { measured } = this.#choice
    writeHistory(this.#cycle.history, measured === this.#noted ? 0 : measured.bytes)
    this.#noted = measured
    this.#isUrgent = this.#isTooLarge(URGENT_SHARE)
    const now = performance.now()
    this.#taken.sliceAt = state && now + (this.#isUrgent ? 0 : REST * (now - this.#sliceStart))
  }

  #isOver(ms: number): boolean {
    return performance.now() - this.#sliceStart >= ms
  }

  #isIdle(state: UpkeepState | undefined): boolean {
    if (state?.phase !== 'idle') return false
    const leftMs = state.dueMs - this.#input.now()
    // A clock that was set back must not put it off for ever.
    return leftMs > 0 && leftMs <= IDLE_MS
  }

  #readLimits(): void {
    this.#limits = this.#input.limits()
    const { whole, namespaces } = this.#limits
    const limits = [whole, ...namespaces.values()].map(requiredLimits)
    this.#taken.maxSetBytes = Math.min(...limits.map(({ maxSizeBytes }) => maxSizeBytes)) * SIZE_LOOK_SHARE
    // With few packs, each would hold so many live blobs that freeing a part of one means copying all of it.
    const packBytes = requiredLimits(whole).maxSizeBytes * PACK_SHARE
    this.#input.blobs.packs.limitBytes = Math.min(PACK_BYTES, Math.max(MIN_PACK_BYTES, packBytes))
    this.#taken.maxSetCount = Math.min(...limits.map(({ maxEntries }) => maxEntries)) * SIZE_LOOK_SHARE
  }

  /** An estimate: measures the packs, and assumes that the other files have grown with them. */
  #isTooLarge(share: number): boolean {
    const { bytes, packBytes } = this.#choice.measured
    const { environment, layout } = this.#input
    const grown = fileBytes(environment.files, layout.packs) - packBytes
    const factor = grown > 0 && packBytes > 0 ? bytes / packBytes : 1
    return bytes + grown * factor > requiredLimits(this.#limits.whole).maxSizeBytes * share
  }
}
