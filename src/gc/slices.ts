// The background gc: keeps a cache within its limits by short slices of gc work in processes that set. `upkeep` decides when.
//
// Guarantees: one process at a time runs a slice, which takes about 20 ms. If a process dies, the next one continues its
// cycle.
//
// Not guaranteed: that the limits hold at every moment. Each process may set 1/32 of the limit between two measurements, and
// sets continue during a cycle. So a cycle begins before a limit is reached. Near the limit, each set runs a slice or waits
// for the slice of another process. No set waits for a `gc()`.

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

/** The result of running a slice, or of trying to. */
export interface SliceResult {
  /** When the next slice is due, in ms of the process's life; undefined if no cycle is in progress. */
  sliceAt: number | undefined
  /** Whether the sizes were measured. */
  hasLooked: boolean
  /** What the process may set before the next measurement. */
  maxSetCount: number
  maxSetBytes: number
}

const SLICE_MS = 20
/** The target time for a step that rewrites a pack. */
const STEP_MS = 3
/** The pause after a slice, as a multiple of its length, while the limits hold. */
const REST = 3
/** The delay between two attempts while another process runs a slice. */
const PAUSE_MS = 1
/** Past this share of the limit, sets wait for slices. */
const URGENT_SHARE = 0.95
/** How long after a cycle no process measures again, unless it sets much itself. */
const IDLE_MS = 10 * 60_000
/** Used instead if a cycle left too much, for example because the limit is smaller than empty files. */
const RETRY_MS = 1000
/** A process measures the sizes after setting this share of a limit. */
const SIZE_LOOK_SHARE = 1 / 32

/** The size of a pack as a share of the limit, and its minimum. */
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
  /** The measurement last written to the history. */
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
   * If it is time, runs a slice of the current cycle, or checks whether a cycle is needed. `isMuch`: so much was set that the
   * sizes must be measured. @throws errno-style errors; CacheError `ERR_CACHE_IO`
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
    // Another process may have held the lock until now.
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
    // If the clock was set back, the due time may be far in the future.
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
