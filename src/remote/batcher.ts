// Gathers the requests of one tick into batches. At a round trip of 20 ms, 4,000 answers take 83 s one by one, and 40 ms in
// batches.

import { setImmediate } from 'node:timers'
import type { RemoteAdapter } from '../api/index.js'
import { deadline } from './deadline.js'
import { failureOf, RemoteFailure } from './failure.js'

const DEFAULT_BATCH = 256
/** How many batches run at once. */
const MAX_BATCHES = 4
/** How many timeouts a batch may take while others are answered. */
const MAX_WAITS = 10

export interface BatcherMeans {
  adapter(): RemoteAdapter
  readMs: number
  /** Whether the store may be asked now. */
  mayAsk(): boolean
  succeeded(tookMs: number, count: number): void
  failed(failure: RemoteFailure): void
  now(): number
}

/** The object (or none) and how long its batch took, or why it is unknown. `skipped`: no request was sent. */
export type Fetched = { object: Uint8Array | undefined; tookMs: number } | 'error' | 'skipped'

type Waiting = { name: string; resolve: (fetched: Fetched) => void }

export class Batcher {
  readonly #means: BatcherMeans
  #waiting: Waiting[] = []
  readonly #byName = new Map<string, Promise<Fetched>>()
  readonly #running = new Set<AbortController>()
  #isScheduled = false
  /** Number of batches sent so far. */
  #answeredCount = 0
  /** Whether running requests were aborted. Waiting ones aren't sent then. */
  #hasFailed = false

  constructor(means: BatcherMeans) {
    this.#means = means
  }

  get(name: string): Promise<Fetched> {
    const known = this.#byName.get(name)
    if (known) return known
    const promise = new Promise<Fetched>(resolve => this.#waiting.push({ name, resolve }))
    this.#byName.set(name, promise)
    promise.then(() => this.#byName.delete(name))
    if (!this.#isScheduled) {
      this.#isScheduled = true
      setImmediate(() => {
        this.#isScheduled = false
        this.#start()
      })
    }
    return promise
  }

  /** Aborts running requests, because the store is down. */
  abort(failure: RemoteFailure): void {
    this.#hasFailed = this.#running.size > 0
    for (const controller of this.#running) controller.abort(failure)
  }

  #start(): void {
    const isIdle = this.#running.size === 0
    if (this.#waiting.length > 0 && (this.#hasFailed || (isIdle && !this.#means.mayAsk()))) {
      for (const { resolve } of this.#waiting.splice(0)) resolve('skipped')
      return
    }
    const { maxBatch = DEFAULT_BATCH } = this.#means.adapter()
    while (this.#waiting.length > 0 && this.#running.size < MAX_BATCHES) this.#run(this.#waiting.splice(0, maxBatch))
  }

  async #run(batch: readonly Waiting[]): Promise<void> {
    const { readMs, now } = this.#means
    const controller = new AbortController()
    this.#running.add(controller)
    const silence = new RemoteFailure('down', `it didn't answer within ${readMs} ms`)
    let answeredCount = this.#answeredCount
    let waitCount = 0
    // The timer keeps the process alive, because its host waits for the answers.
    const inTime = deadline(readMs, () => {
      // The store has answered other batches meanwhile, so it isn't silent.
      const isSilent = this.#answeredCount === answeredCount || ++waitCount === MAX_WAITS
      answeredCount = this.#answeredCount
      if (isSilent) controller.abort(silence)
      return !isSilent
    })
    const startedAt = now()
    try {
      const objects = await orAborted(this.#ask(batch, controller.signal), controller.signal)
      this.#answeredCount++
      const tookMs = now() - startedAt
      this.#means.succeeded(tookMs, batch.length)
      for (const [at, { resolve }] of batch.entries()) resolve({ object: bytesOf(objects[at]), tookMs })
    } catch (error) {
      for (const { resolve } of batch) resolve('error')
      this.#means.failed(failureOf(error))
    } finally {
      inTime()
      this.#running.delete(controller)
      if (this.#running.size === 0) this.#hasFailed = false
      this.#start()
    }
  }

  async #ask(batch: readonly Waiting[], signal: AbortSignal) {
    const objects = await this.#means.adapter().getMany(
      batch.map(({ name }) => name),
      signal,
    )
    if (Array.isArray(objects)) return objects as readonly (Uint8Array | undefined)[]
    throw new RemoteFailure('down', 'its adapter gave no list')
  }
}

function bytesOf(object: unknown): Uint8Array | undefined {
  return object instanceof Uint8Array ? object : undefined
}

/** Ends the wait even if the adapter ignores its signal. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(
      value => {
        signal.removeEventListener('abort', onAbort)
        resolve(value)
      },
      error => {
        signal.removeEventListener('abort', onAbort)
        reject(error)
      },
    )
  })
}
