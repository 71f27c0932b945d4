// A circuit breaker. After a failure this process stops asking the store at once. After three, all processes of the cache
// stop, since most of them are too short-lived to find out for themselves. They share a small file in the root.

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
  /** The file's name, different for each store. */
  name: string
  /** The store's URL without secrets. */
  store: string
  canWrite(): boolean
  now(): number
  random(): number
}

const MAX_FAILURES = 3
const MIN_OPEN_MS = 30_000
/** While one process tries, the others wait this long for its result. */
const PROBE_MS = 3_000
/** While the breaker is open, the file is read this often. */
const LOOK_MS = 1_000

export class Breaker {
  readonly #means: BreakerMeans
  #own: BreakerState = CLOSED
  /** The file's contents as last read. */
  #seen: BreakerState = CLOSED

  constructor(means: BreakerMeans) {
    this.#means = means
  }

  /** When the store may be asked again, ms since the epoch; undefined: now. */
  get openUntil(): number | undefined {
    const until = Math.max(this.#untilOf(this.#own), this.#untilOf(this.#read()))
    return until > 0 ? until : undefined
  }

  /** Whether this process knows that it is open. Doesn't read the file. */
  get isKnownOpen(): boolean {
    return this.#untilOf(this.#own) > 0 || this.#untilOf(this.#seen) > 0
  }

  /** Whether the store may be asked. If the breaker was open until now, this process is the one that tries. */
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

  /** `problem` is shown to users and must not contain a secret. */
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

  /** The store has asked for a pause. */
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
