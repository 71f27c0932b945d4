// Keeps a cache within its bounds by short slices of work in the processes that set.
//
// Guarantees: a set is held up by one slice at most, of some 20 ms; one process at a time takes one; a process that dies in
// the middle leaves its round to the next. Most sets only count. A process that sets once looks at the journal one time in
// sixteen, so that a cache that only such processes use is looked after as well.
//
// Not guaranteed: that the bounds hold at any moment. Between two looks each process may set a thirty-second of what is
// allowed, and a round goes on beside the sets. Past a quarter too much each set waits for a slice.

import { type Layout, PACK_BYTES } from '../base/layout.js'
import type { Bounds } from '../base/types.js'
import { fileBytes } from '../files/disk-usage.js'
import { type CacheBounds, limitsOf } from '../policy/bounds.js'
import { Journal, type UpkeepState } from './journal.js'
import { acquire, release } from './lock.js'
import { Round, type RoundInput, type RoundState } from './round.js'
import { type Cut, Sample } from './sample.js'

export interface UpkeepInput extends RoundInput {
  layout: Layout
  bounds(): CacheBounds
}

const SLICE_MS = 20
/** A slice is followed by this many times its own length without one, as long as there is not much too much. */
const REST = 3
const MUCH_TOO_MUCH = 1.25
/** What a round leaves of what is allowed. */
const KEPT_SHARE = 0.9
/** How long nobody looks at the sizes again, unless he sets much himself. */
const IDLE_MS = 10 * 60_000
/** The same after a round that has not achieved its end, such as that of a cache whose bound is less than empty files take. */
const RETRY_MS = 1000
/** A process looks at the journal after so many sets, at its first one this often, */
const SETS_PER_LOOK = 64
const FIRST_LOOK_SHARE = 1 / 16
/** and at the sizes after setting this share of what is allowed. */
const SIZE_LOOK_SHARE = 1 / 32

/** Packs are rotated at this share of what is allowed, within limits. */
const PACK_SHARE = 1 / 16
const MIN_PACK_BYTES = 256 * 1024

export class Upkeep {
  readonly #input: UpkeepInput
  readonly #journal: Journal
  readonly #round: Round
  #isNew = true
  #setsToLook = SETS_PER_LOOK
  /** What this process has set since it looked at the sizes, and may until it does again. */
  #setCount = 0
  #setBytes = 0
  #maxSetCount = Number.POSITIVE_INFINITY
  #maxSetBytes = Number.POSITIVE_INFINITY
  #isUrgent = false
  /** What went wrong once would go wrong at each set; others may do better. */
  #hasFailed = false
  /** When the next slice of the round under way is due, in ms of the process's life. */
  #sliceAt: number | undefined

  constructor(input: UpkeepInput) {
    this.#input = input
    this.#journal = new Journal(input.environment, input.layout.upkeep)
    this.#round = new Round(input, blob => this.#journal.isMarked(blob))
  }

  /** To be called after a set of so many entries. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
  afterSet(count: number, bytes: number): void {
    this.#setCount += count
    this.#setBytes += bytes
    this.#setsToLook -= count
    const isMuch = this.#setCount >= this.#maxSetCount || this.#setBytes >= this.#maxSetBytes
    const isFirst = this.#isNew && this.#input.environment.random() < FIRST_LOOK_SHARE
    this.#isNew = false
    const isSliceDue = this.#sliceAt !== undefined && performance.now() >= this.#sliceAt
    if (!(isMuch || isSliceDue || isFirst || this.#setsToLook <= 0) || this.#hasFailed) return
    this.#hasFailed = true
    this.#takeTurn(isMuch)
    this.#hasFailed = false
  }

  close(): void {
    this.#journal.close()
  }

  /** Takes a slice of the round under way, or sees whether one is needed, if it is time for that. */
  #takeTurn(isMuch: boolean): void {
    const { environment, layout } = this.#input
    this.#setsToLook = SETS_PER_LOOK
    if (this.#maxSetBytes === Number.POSITIVE_INFINITY) this.#readBounds()
    if (!isMuch && this.#isIdle(this.#journal.read())) {
      this.#sliceAt = undefined
      return
    }
    const start = performance.now()
    if (!acquire(environment.files, layout.gcLock, true)) {
      this.#sliceAt = start + SLICE_MS
      return
    }
    try {
      this.#takeSlice(start, isMuch)
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
      if (!state) this.#journal.begin(this.#rest(this.#isTooLarge() ? RETRY_MS : IDLE_MS))
    }
    if (state) this.#journal.write(state, round.takeMarks())
    const now = performance.now()
    this.#sliceAt = state && now + (this.#isUrgent ? 0 : REST * (now - start))
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
    this.#maxSetBytes = Math.min(...limits.map(({ maxSizeBytes }) => maxSizeBytes)) * SIZE_LOOK_SHARE
    // In a cache of few packs, each would hold so much that is alive that giving a part of one up costs copying all of it.
    const packBytes = limitsOf(whole).maxSizeBytes * PACK_SHARE
    this.#input.blobs.packs.limitBytes = Math.min(PACK_BYTES, Math.max(MIN_PACK_BYTES, packBytes))
    this.#maxSetCount = Math.min(...limits.map(({ maxEntries }) => maxEntries)) * SIZE_LOOK_SHARE
  }

  #look(): void {
    this.#setCount = 0
    this.#setBytes = 0
    this.#readBounds()
    this.#isUrgent = this.#isTooLarge(MUCH_TOO_MUCH)
  }

  #isTooLarge(times = 1): boolean {
    const { environment, layout, bounds } = this.#input
    return fileBytes(environment.files, layout.version) > limitsOf(bounds().whole).maxSizeBytes * times
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
      const cut = sample.cut(limits, now(), directory) && sample.cut(partOf(limits), now(), directory)
      if (cut) cuts[directory] = cut
    }
    const sizeBytes = fileBytes(files, layout.version)
    const limits = limitsOf(whole)
    const isExceeded =
      sizeBytes > limits.maxSizeBytes || sample.cut({ ...limits, maxSizeBytes: Number.POSITIVE_INFINITY }, now())
    if (!isExceeded && Object.keys(cuts).length === 0) return undefined
    // What a round cannot make less: counters, the memo and the like.
    const allPackBytes = fileBytes(files, layout.packs)
    let fixedBytes = sizeBytes - allPackBytes - fileBytes(files, layout.blobIndex)
    for (const { directory } of namespaces) fixedBytes -= fileBytes(files, layout.manifest(directory))
    const kept = partOf(limits)
    const cut = sample.cut({ ...kept, maxSizeBytes: kept.maxSizeBytes - fixedBytes }, now(), undefined, allPackBytes)
    const excessBytes = Math.max(0, sizeBytes - limits.maxSizeBytes)
    return {
      phase: 'drop',
      directory: '',
      place: 0,
      cut: isExceeded ? cut : undefined,
      cuts,
      excessBytes,
      packBytes: Object.fromEntries(packs.numbers().map(pack => [pack, packs.sizeOf(pack)])),
      liveBytes: {},
    }
  }
}

/** The limits that a round aims at, so that it is not needed again at once. An age is what it is. */
function partOf({ maxSizeBytes, maxEntries, maxAgeMs }: Required<Bounds>): Required<Bounds> {
  return { maxSizeBytes: maxSizeBytes * KEPT_SHARE, maxEntries: maxEntries * KEPT_SHARE, maxAgeMs }
}
