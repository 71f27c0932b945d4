// The remote tier of one cache. Reads are sent in batches, uploads later, and a failing store isn't asked. Nothing here
// throws, and nothing takes longer than its timeout.

import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers'
import type { RemoteAdapter, RemoteStats, RemoteStatus } from '../api/index.js'
import { CacheError } from '../base/errors.js'
import { monotonicMs } from '../base/monotonic.js'
import { Batcher, orAborted } from './batcher.js'
import { deadline } from './deadline.js'
import { type Answered, open, type Rejection, seal } from './envelope.js'
import { failureOf, RemoteFailure } from './failure.js'
import { shown } from './place.js'
import type { Settings } from './settings.js'
import type { SharedStore } from './shared-store.js'
import { FLUSH_MS, Uploads } from './uploads.js'
import { Worth } from './worth.js'

export interface TierMeans {
  settings: Settings
  store: SharedStore
  /** Warns once about the store. */
  report(error: CacheError): void
}

/** A store's reply: an answer, or why there is none. `tookMs` is the time of its batch. */
export type Reply =
  | { kind: 'answer'; tookMs: number; answered: Answered; sizeBytes: number }
  | { kind: 'rejected'; tookMs: number; rejection: Rejection }
  | { kind: 'missing'; tookMs: number }
  | { kind: 'error' | 'skipped' }

/** An answer to upload. Its bytes are made as late as possible. */
export interface Offer {
  sizeBytes: number
  /** The names and their objects. */
  make(): { names: readonly string[]; answered: Answered } | undefined
  done(sentBytes: number | undefined): void
}

/** The pause for a busy store that doesn't say for how long. */
const BUSY_MS = 5_000
const MAX_NOTES = 10_000
/** How many timeouts a process waits in all for a store that isn't worth it. */
const WAIT_TIMEOUTS = 2

/** Independent of the declared inputs. */
type Question = { version: string; kind: string; key: string }

function idOf(namespace: string, { version, kind, key }: Question): string {
  return JSON.stringify([namespace, version, kind, key])
}

export class RemoteTier {
  readonly settings: Settings
  readonly worth: Worth
  readonly #means: TierMeans
  readonly #batcher: Batcher
  readonly #uploads: Uploads
  #adapter: RemoteAdapter | undefined
  #problem: string | undefined
  #isReadOnly: boolean
  #isClosed = false
  readonly #stats = { hits: 0, misses: 0, errors: 0, skipped: 0, uploads: 0, dropped: 0, bytesIn: 0, bytesOut: 0 }
  readonly #rejected = new Map<Rejection, number>()
  readonly #said = new Map<string, string>()

  constructor(means: TierMeans) {
    this.#means = means
    this.settings = means.settings
    const { mode, timeouts } = means.settings
    this.#isReadOnly = mode !== 'readwrite'
    this.worth = new Worth(WAIT_TIMEOUTS * timeouts.readMs)
    const adapter = () => this.adapter
    this.#batcher = new Batcher({
      adapter,
      readMs: timeouts.readMs,
      mayAsk: () => this.#isUsable && means.store.breaker.tryPass(),
      succeeded: (tookMs, count) => {
        this.worth.answered(tookMs, count)
        means.store.breaker.succeeded()
      },
      failed: failure => this.#failed(failure),
      now: monotonicMs,
    })
    this.#uploads = new Uploads({
      adapter,
      uploadMs: timeouts.uploadMs,
      mayStore: () => this.canWrite && means.store.breaker.openUntil === undefined,
      failed: failure => this.#failed(failure),
    })
  }

  get canWrite(): boolean {
    return this.#isUsable && !this.#isReadOnly
  }

  get adapter(): RemoteAdapter {
    this.#adapter ??= this.#createAdapter()
    return this.#adapter
  }

  /**
   * Whether to ask at all. `what` names similar computations, which may be faster than the store; undefined: asks all the same.
   * Counts skipped questions.
   */
  isAsking(what: string | undefined): boolean {
    const isUsable = this.#isUsable && !this.#means.store.breaker.isKnownOpen
    if (isUsable && (what === undefined || this.worth.isAsking(what))) return true
    this.#stats.skipped++
    return false
  }

  async get(name: string): Promise<Reply> {
    if (!this.#isUsable) return this.#counted({ kind: 'skipped' })
    const fetched = await this.#batcher.get(name)
    if (typeof fetched === 'string') return this.#counted({ kind: fetched })
    const { object, tookMs } = fetched
    if (!object) return this.#counted({ kind: 'missing', tookMs })
    const { maxBytes, keys } = this.settings
    const answered = open(object, { name, maxBytes, keys })
    this.#stats.bytesIn += object.length
    if (typeof answered === 'string') return this.#counted({ kind: 'rejected', tookMs, rejection: answered })
    return { kind: 'answer', tookMs, answered, sizeBytes: object.length }
  }

  /** The last reply to a question, as text for `explain`. */
  note(namespace: string, question: Question, said: string): void {
    if (this.#said.size >= MAX_NOTES) this.#said.clear()
    this.#said.set(idOf(namespace, question), said)
  }

  noted(namespace: string, question: Question): string | undefined {
    return this.#said.get(idOf(namespace, question))
  }

  /** Counts that an answer was used, or that its inputs differ here. */
  countAnswer(isUsed: boolean): void {
    if (isUsed) this.#stats.hits++
    else this.#stats.misses++
  }

  offer({ sizeBytes, make, done }: Offer): void {
    const count = (sentBytes: number | undefined) => {
      if (sentBytes === undefined) this.#stats.dropped++
      else {
        this.#stats.uploads++
        this.#stats.bytesOut += sentBytes
      }
      done(sentBytes)
    }
    if (!this.canWrite || sizeBytes > 16 * this.settings.maxBytes) {
      count(undefined)
      return
    }
    const sealed = () => {
      const { names = [], answered } = make() ?? {}
      return names.flatMap(name => (answered ? { name, bytes: this.seal(name, answered) } : []))
    }
    this.#uploads.offer({ sizeBytes, make: sealed, done: count })
  }

  /** @throws RemoteFailure if the object is too large */
  seal(name: string, answered: Answered): Buffer {
    const bytes = seal(name, answered, this.settings.signingKey)
    if (bytes.length <= this.settings.maxBytes) return bytes
    throw new RemoteFailure('refused', 'an answer is too large')
  }

  /** Stores an object now. @throws RemoteFailure */
  async put(name: string, bytes: Uint8Array): Promise<void> {
    const controller = new AbortController()
    const { uploadMs } = this.settings.timeouts
    const silence = new RemoteFailure('down', `it didn't take an answer within ${uploadMs} ms`)
    const inTime = deadline(uploadMs, () => controller.abort(silence))
    try {
      await orAborted(this.adapter.put(name, bytes, controller.signal), controller.signal)
    } catch (error) {
      throw failureOf(error)
    } finally {
      inTime()
    }
  }

  get isIdle(): boolean {
    return this.#uploads.isIdle
  }

  flush(limitMs = FLUSH_MS): Promise<void> {
    return this.#uploads.flush(limitMs)
  }

  async close(limitMs = FLUSH_MS): Promise<void> {
    if (this.#isClosed) return
    await this.flush(limitMs)
    this.#isClosed = true
    const { store } = this.#means
    // An aborted request closes its connection.
    if (!store.isShared) this.#batcher.abort(new RemoteFailure('down', 'the cache was closed'))
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<void>(resolve => {
      timer = setTimeout(resolve, this.settings.timeouts.readMs)
    })
    await Promise.race([Promise.resolve().then(() => store.close()), limit]).catch(() => undefined)
    clearTimeout(timer)
  }

  stats(): RemoteStats {
    const [p50, p95] = [this.worth.quantile(0.5), this.worth.quantile(0.95)]
    return {
      ...this.#stats,
      rejected: Object.fromEntries(this.#rejected),
      ...(p50 === undefined ? {} : { p50 }),
      ...(p95 === undefined ? {} : { p95 }),
      breaker: this.#means.store.breaker.openUntil === undefined ? 'closed' : 'open',
    }
  }

  /** Tests the store by asking for a name that doesn't exist. */
  async status(): Promise<RemoteStatus> {
    const { mode, trust, place, timeouts } = this.settings
    const controller = new AbortController()
    const silence = new RemoteFailure('down', `it didn't answer within ${timeouts.readMs} ms`)
    const inTime = deadline(timeouts.readMs, () => controller.abort(silence))
    const startedAt = monotonicMs()
    const { signal } = controller
    const ping = await orAborted(this.adapter.getMany([randomBytes(32).toString('hex')], signal), signal).then(
      () => ({ pingMs: monotonicMs() - startedAt }),
      error => ({ problem: failureOf(error).message }),
    )
    inTime()
    const openUntil = this.#means.store.breaker.openUntil
    return {
      url: place ? shown(place) : '(an adapter)',
      mode,
      trust,
      canWrite: this.canWrite,
      breaker: openUntil === undefined ? 'closed' : 'open',
      ...(openUntil === undefined ? {} : { openUntil }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      ...ping,
    }
  }

  get #isUsable(): boolean {
    return this.#problem === undefined && !this.#isClosed
  }

  #createAdapter(): RemoteAdapter {
    try {
      return this.#means.store.adapter()
    } catch (error) {
      const failure = error instanceof RemoteFailure ? error : new RemoteFailure('off', 'its adapter failed')
      const fail = () => Promise.reject(failure)
      return { getMany: fail, put: fail, close: () => undefined }
    }
  }

  #counted(reply: Exclude<Reply, { kind: 'answer' }>): Reply {
    if (reply.kind === 'rejected') {
      this.#rejected.set(reply.rejection, (this.#rejected.get(reply.rejection) ?? 0) + 1)
    } else {
      this.#stats[COUNTS[reply.kind]]++
    }
    return reply
  }

  #failed({ kind, message, retryAfterMs }: RemoteFailure): void {
    const { breaker } = this.#means.store
    if (this.#isClosed || kind === 'refused') return
    if (kind === 'readonly') this.#isReadOnly = true
    else if (kind === 'busy') breaker.pause(retryAfterMs ?? BUSY_MS)
    else if (kind === 'off') this.#turnOff(message)
    // Many requests may fail at once. They count as one failure.
    else if (breaker.openUntil === undefined) breaker.failed(message)
    else return
    if (kind !== 'readonly') this.#batcher.abort(new RemoteFailure('down', message))
  }

  #turnOff(why: string): void {
    if (this.#problem !== undefined) return
    this.#problem = why
    const { place } = this.settings
    const message = `The remote tier${place ? ` at ${shown(place)}` : ''} is not asked any more: ${why}.`
    this.#means.report(new CacheError('ERR_CACHE_REMOTE', message))
  }
}

const COUNTS = { missing: 'misses', error: 'errors', skipped: 'skipped' } as const
