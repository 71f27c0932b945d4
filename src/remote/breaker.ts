// Whether a store is worth asking. One that has failed is left alone: by this process at once, and by all processes of the
// cache after three failures, since most of them are too short to find out for themselves. What they share is a small file in
// the root. It is a hint: where two write at once, one of them counts, and a damaged one counts as missing.

import { join } from 'node:path'
import { errnoOf } from '../base/errors.js'
import type { Files } from '../files/files.js'

export interface BreakerMeans {
  files: Files
  /** Where the file is. */
  directory: string
  /** Its name: another one for each store. */
  name: string
  canWrite(): boolean
  now(): number
  random(): number
}

interface State {
  failures: number
  /** Of the latest failure. */
  failedAt: number
  openUntil: number
  openMs: number
}

const MAX_FAILURES = 3
const MIN_OPEN_MS = 30_000
const MAX_OPEN_MS = 300_000
/** While one process tries, the others wait for what it finds. */
const PROBE_MS = 3_000
/** Where it is open, the file is looked at this often. */
const LOOK_MS = 1_000
/** Older failures say nothing of now. */
const MAX_AGE_MS = 600_000
const MAX_FILE_BYTES = 1024
const CLOSED: State = { failures: 0, failedAt: 0, openUntil: 0, openMs: 0 }

export class Breaker {
  readonly #means: BreakerMeans
  #own: State = CLOSED
  /** What the file said, until it is looked at again. */
  #seen: State = CLOSED

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

  failed(): void {
    const now = this.#means.now()
    const next = (state: State): State => {
      const openMs = Math.min(Math.max(2 * state.openMs, MIN_OPEN_MS), MAX_OPEN_MS)
      return { failures: state.failures + 1, failedAt: now, openUntil: now + openMs, openMs }
    }
    this.#own = next(this.#own)
    const shared = this.#read()
    const failures = shared.failures + 1
    this.#write(failures < MAX_FAILURES ? { ...shared, failures, failedAt: now } : { ...next(shared), failures })
  }

  succeeded(): void {
    this.#own = this.#seen = CLOSED
    if (this.#read().failures > 0) this.#attempt(() => this.#means.files.remove(this.#path))
  }

  /** The store has asked not to be asked for some time. */
  pause(ms: number): void {
    const openUntil = this.#means.now() + Math.min(ms, MAX_OPEN_MS)
    this.#own = { ...this.#own, openUntil }
  }

  /** 0 where it is closed. A clock that was set back doesn't keep it open. */
  #untilOf({ openUntil }: State): number {
    const now = this.#means.now()
    return openUntil > now && openUntil <= now + MAX_OPEN_MS ? openUntil : 0
  }

  get #path(): string {
    return join(this.#means.directory, this.#means.name)
  }

  #read(): State {
    const { files, now } = this.#means
    const text = this.#attempt(() => {
      const stat = files.linkStat(this.#path)
      return stat?.kind === 'file' && stat.sizeBytes <= MAX_FILE_BYTES
        ? files.readFile(this.#path)?.toString()
        : undefined
    })
    const state = text === undefined ? undefined : parsed(text)
    const isRecent = state !== undefined && Math.abs(now() - state.failedAt) <= MAX_AGE_MS
    return isRecent ? state : CLOSED
  }

  #write(state: State): void {
    const { files, directory, canWrite, random } = this.#means
    if (!canWrite()) return
    this.#attempt(() => {
      files.makeDirectory(directory)
      const temporary = `${this.#path}.${Math.floor(random() * 2 ** 48).toString(16)}.new`
      if (!files.createFile(temporary, JSON.stringify(state))) return
      try {
        files.rename(temporary, this.#path)
      } catch (error) {
        files.remove(temporary)
        throw error
      }
    })
  }

  /** A hint that can't be written or read is none. */
  #attempt<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return undefined
    }
  }
}

function parsed(text: string): State | undefined {
  try {
    const state = JSON.parse(text) as Partial<State> | null
    const numbers = [state?.failures, state?.failedAt, state?.openUntil, state?.openMs]
    return numbers.every(number => typeof number === 'number' && number >= 0) ? (state as State) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
