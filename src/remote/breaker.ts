// Whether a store is worth asking. One that has failed is left alone: by this process at once, and by all processes of the
// cache after three failures, since most of them are too short to find out for themselves. What they share is a small file in
// the root.

import { join } from 'node:path'
import type { Files } from '../files/files.js'
import {
  type BreakerState,
  CLOSED,
  MAX_OPEN_MS,
  openUntilOf,
  readBreaker,
  removeBreaker,
  writeBreaker,
} from './breaker-file.js'

export interface BreakerMeans {
  files: Files
  /** Where the file is. */
  directory: string
  /** Its name: another one for each store. */
  name: string
  /** The URL of the store, as it may be shown. */
  store: string
  canWrite(): boolean
  now(): number
  random(): number
}

const MAX_FAILURES = 3
const MIN_OPEN_MS = 30_000
/** While one process tries, the others wait for what it finds. */
const PROBE_MS = 3_000
/** Where it is open, the file is looked at this often. */
const LOOK_MS = 1_000

export class Breaker {
  readonly #means: BreakerMeans
  #own: BreakerState = CLOSED
  /** What the file said, until it is looked at again. */
  #seen: BreakerState = CLOSED

  constructor(means: BreakerMeans) {
    this.#means = means
  }

  /** When it may be asked again, ms since the epoch; undefined: now. */
  get openUntil(): number | undefined {
    const until = Math.max(this.#untilOf(this.#own), this.#untilOf(this.#read()))
    return until > 0 ? until : undefined
  }

  /** Whether this process knows that it is open: without a look at the file. */
  get isKnownOpen(): boolean {
    return this.#untilOf(this.#own) > 0 || this.#untilOf(this.#seen) > 0
  }

  /** Whether it may be asked; where it was open until now, this process is the one that tries. */
  tryPass(): boolean {
    if (this.isKnownOpen) return false
    const shared = this.#read()
    const openUntil = this.#untilOf(shared)
    if (openUntil > 0) {
      this.#seen = { ...CLOSED, openUntil: Math.min(openUntil, this.#means.now() + LOOK_MS) }
      return false
    }
    if (shared.failures >= MAX_FAILURES) this.#write({ ...shared, openUntil: this.#means.now() + PROBE_MS })
    return true
  }

  /** `problem` is shown to people: it holds no secret. */
  failed(problem: string): void {
    const now = this.#means.now()
    const next = (state: BreakerState): BreakerState => {
      const openMs = Math.min(Math.max(2 * state.openMs, MIN_OPEN_MS), MAX_OPEN_MS)
      return { failures: state.failures + 1, failedAt: now, openUntil: now + openMs, openMs }
    }
    this.#own = next(this.#own)
    const shared = this.#read()
    const failures = shared.failures + 1
    const told = failures < MAX_FAILURES ? { ...shared, failures, failedAt: now } : { ...next(shared), failures }
    this.#write({ ...told, store: this.#means.store, problem })
  }

  succeeded(): void {
    this.#own = this.#seen = CLOSED
    if (this.#read().failures > 0) removeBreaker(this.#means.files, this.#path)
  }

  /** The store has asked not to be asked for some time. */
  pause(ms: number): void {
    const openUntil = this.#means.now() + Math.min(ms, MAX_OPEN_MS)
    this.#own = { ...this.#own, openUntil }
  }

  #untilOf(state: BreakerState): number {
    return openUntilOf(state, this.#means.now())
  }

  get #path(): string {
    return join(this.#means.directory, this.#means.name)
  }

  #read(): BreakerState {
    return readBreaker(this.#means.files, this.#path, this.#means.now())
  }

  #write(state: BreakerState): void {
    const { files, canWrite, random } = this.#means
    if (canWrite()) writeBreaker(files, this.#path, state, random)
  }
}
