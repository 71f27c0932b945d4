// Uploads answers to the store. They wait in memory and are sent a few at a time, after the caller has its result. If too
// many wait, further ones are dropped, and the next machine computes them again.
//
// Only a flush keeps the process alive, for a limited time.

import { setImmediate, setTimeout } from 'node:timers'
import type { RemoteAdapter } from '../api/index.js'
import { orAborted } from './batcher.js'
import { deadline } from './deadline.js'
import { failureOf, RemoteFailure } from './failure.js'

const MAX_QUEUED = 10_000
const MAX_QUEUED_BYTES = 64 * 2 ** 20
/** How many uploads run at once. */
const MAX_RUNNING = 16

export interface Upload {
  sizeBytes: number
  /** Makes the names and objects when they are sent: signing takes longer than some computations. */
  make(): readonly { name: string; bytes: Uint8Array }[]
  /** Called with the number of bytes sent, or undefined if it was dropped. */
  done(sentBytes: number | undefined): void
}

export interface UploadMeans {
  adapter(): RemoteAdapter
  uploadMs: number
  mayStore(): boolean
  failed(failure: RemoteFailure): void
}

export class Uploads {
  readonly #means: UploadMeans
  readonly #queue: Upload[] = []
  #queuedBytes = 0
  #running = 0
  #isScheduled = false
  readonly #waitingForEnd = new Set<() => void>()

  constructor(means: UploadMeans) {
    this.#means = means
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#running === 0
  }

  offer(upload: Upload): void {
    const isFull = this.#queue.length >= MAX_QUEUED || this.#queuedBytes + upload.sizeBytes > MAX_QUEUED_BYTES
    if (isFull || !this.#means.mayStore()) {
      upload.done(undefined)
      return
    }
    this.#queue.push(upload)
    this.#queuedBytes += upload.sizeBytes
    flushAtEnd(this)
    this.#schedule()
  }

  /** Resolves when everything is sent. What is left after the limit is dropped. */
  async flush(limitMs: number): Promise<void> {
    if (this.isIdle) return
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>(resolve => {
      this.#waitingForEnd.add(resolve)
      timer = setTimeout(() => {
        this.drop()
        resolve()
      }, limitMs)
      this.#pump()
    })
    clearTimeout(timer)
  }

  /** Drops waiting uploads. */
  drop(): void {
    for (const { done } of this.#queue.splice(0)) done(undefined)
    this.#queuedBytes = 0
    this.#settle()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#pump()
    }).unref()
  }

  #pump(): void {
    if (this.#queue.length > 0 && !this.#means.mayStore()) this.drop()
    while (this.#queue.length > 0 && this.#running < MAX_RUNNING) this.#send(this.#queue.shift() as Upload)
    this.#settle()
  }

  async #send(upload: Upload): Promise<void> {
    this.#running++
    this.#queuedBytes -= upload.sizeBytes
    const controller = new AbortController()
    const { uploadMs } = this.#means
    const silence = new RemoteFailure('down', `it didn't take an answer within ${uploadMs} ms`)
    const inTime = deadline(uploadMs, () => controller.abort(silence), false)
    try {
      let sentBytes = 0
      for (const { name, bytes } of upload.make()) {
        await orAborted(this.#means.adapter().put(name, bytes, controller.signal), controller.signal)
        sentBytes += bytes.length
      }
      upload.done(sentBytes === 0 ? undefined : sentBytes)
    } catch (error) {
      upload.done(undefined)
      this.#means.failed(failureOf(error))
    } finally {
      inTime()
      this.#running--
      this.#pump()
    }
  }

  #settle(): void {
    if (!this.isIdle) return
    pending.delete(this)
    for (const resolve of this.#waitingForEnd) resolve()
    this.#waitingForEnd.clear()
  }
}

/** How long a process that is otherwise done waits for its uploads. */
export const FLUSH_MS = 5_000

/** The uploads to flush when the process is otherwise done. One listener serves all of them. */
const pending = new Set<Uploads>()
let isListening = false

function flushAtEnd(uploads: Uploads): void {
  pending.add(uploads)
  if (isListening) return
  isListening = true
  process.on('beforeExit', () => {
    for (const each of pending) each.flush(FLUSH_MS).catch(() => undefined)
  })
}
