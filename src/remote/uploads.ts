// Uploads answers to the store. They wait in memory and are sent a few at a time, after the caller has got its result. If too
// many wait, the rest are dropped: the next machine computes them again.
//
// Nothing here keeps the process alive but a flush, which has an end.

import { setImmediate, setTimeout } from 'node:timers'
import type { RemoteAdapter } from '../api/index.js'
import { orAborted } from './batcher.js'
import { deadline } from './deadline.js'
import { failureOf, RemoteFailure } from './failure.js'

const MAX_QUEUED = 10_000
const MAX_QUEUED_BYTES = 64 * 2 ** 20
/** Sent at once. */
const MAX_RUNNING = 16

export interface Upload {
  sizeBytes: number
  /** The names and objects, made when they are sent: signing takes longer than many a computation. */
  make(): readonly { name: string; bytes: Uint8Array }[]
  /** What became of it: the bytes that were sent, undefined where it was dropped. */
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

  /** Resolves when all is sent or dropped: what isn't sent after some time is. */
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

  /** What is waiting is dropped. */
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

/** How long a process that has nothing else to do waits for its uploads. */
export const FLUSH_MS = 5_000

/** Those that are to be flushed when the process has nothing else to do. One listener serves all. */
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
