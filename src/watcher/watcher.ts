// Drops entries when their sources change.
//
// Guarantees: an entry is dropped only if a source differs from its record. An entry that is set again at the same time
// stays. Every change is found: within milliseconds if there is an event, otherwise by the next sweep over all sources, every
// few seconds for thousands of them. Changes from before the start are found before `ready`. Every watching process reports
// what another one drops, because it reads the manifests, unless a part of one was rewritten right after the drop.
//
// Not guaranteed: a maximum delay. Nothing depends on it, because each get checks its entry's inputs itself.

import { EventEmitter } from 'node:events'
import { dirname } from 'node:path'
import type { Watcher, WatcherEvents, WatcherStatus } from '../api/index.js'
import { CacheError } from '../base/errors.js'
import type { AnswerStore } from '../entries/answers.js'
import type { SnapshotMeans } from '../inputs/snapshot.js'
import type { Environment } from '../log/environment.js'
import type { Manifest } from '../manifest/manifest.js'
import { EntryIndex, type WatchedEntry } from './entry-index.js'
import { Examiner } from './examiner.js'
import { Observer } from './observer.js'
import { Pace } from './pace.js'
import { BATCH_MS, BURST_EVENTS, DEGRADED_SWEEP, SETTLE_MS, START_MS, SWEEP } from './rhythm.js'
import { isWithin, type WatchedSource } from './source-tree.js'

export interface WatcherInput {
  environment: Environment
  snapshotMeans: SnapshotMeans
  lists: AnswerStore['lists']
  /** The manifests that are on disk, by the names of their namespaces. */
  manifests(): Map<string, Manifest>
  /** The cache's directory. Changes in it are ignored. */
  cacheDirectory: string
  roots: readonly string[]
  isPersistent: boolean
  isIgnored(path: string): boolean
  now(): number
  canDrop: boolean
  report(error: unknown): void
  closed(watcher: Watcher): void
}

/** Starts a watcher. */
export function watchSources(input: WatcherInput): Watcher {
  return new SourceWatcher(input)
}

class SourceWatcher extends EventEmitter<WatcherEvents> implements Watcher {
  readonly roots: readonly string[]
  readonly ready: Promise<void>
  readonly #input: WatcherInput
  readonly #index: EntryIndex
  readonly #examiner: Examiner
  readonly #observers: Observer[]
  readonly #pace = new Pace()
  #changed = new Set<string>()
  /** New directories, to be checked once more. */
  readonly #grown = new Set<string>()
  #eventCount = 0
  #isBurst = false
  #isWorking = true
  #isSweepDue = false
  #sweepMs = 0
  #batchTimer: NodeJS.Timeout | undefined
  #settleTimer: NodeJS.Timeout | undefined
  #sweepTimer: NodeJS.Timeout | undefined
  #invalidCount = 0
  #hasNews = false
  readonly #failures = new Set<string>()
  #close: Promise<void> | undefined
  #resolveReady: () => void = () => undefined

  constructor(input: WatcherInput) {
    super()
    const { environment, snapshotMeans, lists, roots, manifests, now, canDrop, report } = input
    this.#input = input
    this.roots = roots
    this.#index = new EntryIndex({ roots, manifests, lists, report, keepsOver: !canDrop })
    this.#examiner = new Examiner({
      environment,
      snapshotMeans,
      lists,
      index: this.#index,
      pace: this.#pace,
      now,
      canDrop,
      report,
      invalidated: invalidation => {
        this.#invalidCount++
        this.#hasNews = true
        this.#tell('invalidate', invalidation)
      },
    })
    this.#observers = roots.map(
      root =>
        new Observer({
          files: environment.files,
          root,
          isPersistent: input.isPersistent,
          isIgnored: path => isWithin(path, input.cacheDirectory) || input.isIgnored(path),
          changed: path => this.#changedAt(path),
          grown: path => {
            this.#grown.add(path)
            this.#changedAt(path)
          },
          failed: error => this.#fail(error),
        }),
    )
    this.ready = new Promise(resolve => {
      this.#resolveReady = resolve
    })
    this.#start()
  }

  status(): WatcherStatus {
    return {
      entryCount: this.#index.entryCount,
      sourceCount: this.#index.sources.size,
      invalidCount: this.#invalidCount,
      isDegraded: this.#failures.size > 0,
    }
  }

  close(): Promise<void> {
    this.#close ??= this.#stop()
    return this.#close
  }

  async #start(): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = this.#pace.after(START_MS, resolve)
      Promise.all(this.#observers.map(observer => observer.start())).then(() => {
        this.#pace.cancel(timer)
        resolve()
      })
    })
    if (this.#close) return
    // All entries are new to the index, so all are examined.
    await this.#attempt(() => this.#catchUp())
    if (!this.#input.isPersistent) this.#pace.release()
    this.#tell('ready')
    this.#resolveReady()
    this.#rest()
  }

  async #stop(): Promise<void> {
    this.#pace.stop()
    this.#input.closed(this)
    await Promise.all(this.#observers.map(observer => observer.close()))
    this.removeAllListeners()
    this.#resolveReady()
  }

  #changedAt(path: string): void {
    if (this.#close) return
    this.#eventCount++
    for (let above = dirname(path); !this.#changed.has(above); above = dirname(above)) {
      if (dirname(above) !== above) continue
      this.#changed.add(path)
      break
    }
    this.#wake()
  }

  #wake(): void {
    if (this.#isWorking || this.#batchTimer) return
    this.#batchTimer = this.#pace.after(BATCH_MS, () => {
      this.#batchTimer = undefined
      this.#work()
    })
  }

  /** Handles events and sweeps, one batch at a time. Events during a batch are handled by the next one. */
  async #work(): Promise<void> {
    this.#isWorking = true
    if (this.#changed.size > 0) await this.#attempt(() => this.#batch())
    if (this.#isSweepDue) await this.#attempt(() => this.#sweep())
    this.#rest()
  }

  #rest(): void {
    this.#isWorking = false
    if (this.#hasNews) this.#tell('update')
    this.#hasNews = false
    if (this.#changed.size > 0 || this.#isSweepDue) this.#wake()
    this.#sweepTimer ??= this.#sweepAfter(this.#failures.size > 0 ? DEGRADED_SWEEP : SWEEP)
  }

  #sweepAfter({ intervalMs, maxShare }: typeof SWEEP): NodeJS.Timeout {
    return this.#pace.after(Math.max(intervalMs, this.#sweepMs / maxShare), () => {
      this.#sweepTimer = undefined
      this.#isSweepDue = true
      this.#wake()
    })
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#input.report(error)
    }
  }

  /** Examines the sources that events have named. */
  async #batch(): Promise<void> {
    const changed = this.#changed
    this.#changed = new Set()
    if (this.#eventCount >= BURST_EVENTS) this.#isBurst = true
    this.#eventCount = 0
    if (this.#isBurst || this.#grown.size > 0) this.#settleLater()
    await this.#catchUp()
    const invalidCount = this.#invalidCount
    const { sources } = this.#index
    const concerned = new Set<WatchedSource<WatchedEntry>>()
    for (const path of changed) {
      for (const source of sources.within(path)) concerned.add(source)
      const directory = sources.at(dirname(path))
      if (directory) concerned.add(directory)
    }
    for (const source of concerned) {
      if (this.#pace.isDue) await this.#pace.breathe()
      this.#examiner.examine(source)
    }
    // Takes note of the removals, so that the same keys are known to be new when they are set again.
    if (this.#invalidCount > invalidCount) await this.#catchUp()
  }

  #settleLater(): void {
    this.#pace.cancel(this.#settleTimer)
    this.#settleTimer = this.#pace.after(SETTLE_MS, () => {
      this.#settleTimer = undefined
      for (const path of this.#grown) this.#changedAt(path)
      this.#grown.clear()
      this.#isSweepDue ||= this.#isBurst
      this.#isBurst = false
      this.#wake()
    })
  }

  /** Examines all sources, with or without an event. */
  async #sweep(): Promise<void> {
    this.#isSweepDue = false
    for (const observer of this.#observers) observer.check()
    await this.#catchUp()
    const invalidCount = this.#invalidCount
    this.#pace.takeBusyMs()
    for (const source of [...this.#index.sources.all()]) {
      if (this.#pace.isDue) {
        await this.#pace.breathe()
        if (this.#changed.size > 0) await this.#batch()
      }
      this.#examiner.examine(source)
    }
    // The time for dropping entries isn't part of the cost of a sweep.
    if (this.#invalidCount === invalidCount) this.#sweepMs = this.#pace.takeBusyMs()
  }

  async #catchUp(): Promise<void> {
    if (await this.#examiner.catchUp()) this.#hasNews = true
  }

  #fail(cause: unknown): void {
    const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? String(cause)
    if (this.#close || this.#failures.has(code)) return
    this.#failures.add(code)
    const why = cause instanceof Error ? cause.message : String(cause)
    const error = new CacheError('ERR_CACHE_WATCH', `Some changes will be found late: ${why}.`, { cause })
    if (this.listenerCount('error') > 0) this.#tell('error', error)
    else this.#input.report(error)
    this.#hasNews = true
    this.#pace.cancel(this.#sweepTimer)
    this.#sweepTimer = undefined
    if (!this.#isWorking) this.#rest()
  }

  /** Emits in a microtask, so that a listener that throws doesn't interrupt the work. */
  #tell<Name extends keyof WatcherEvents>(name: Name, ...args: WatcherEvents[Name]): void {
    queueMicrotask(() => {
      if (!this.#close) (this.emit as (name: string, ...args: unknown[]) => boolean).call(this, name, ...args)
    })
  }
}
