// Reading and writing entries, for all that a namespace offers. This is where the two halves of an entry meet: the
// manifest says which blob and how long it is valid, the blobs give its bytes. A set stores the blob before the entry, so
// an entry never refers to nothing; the write of the entry is the commit.
//
// It is also the border past which nothing broken gets through: a caller's mistake throws before anything is touched,
// everything that goes wrong afterwards is reported and becomes a miss, or a set that stored nothing.

import { resolve } from 'node:path'
import { CacheError, errnoOf } from '../base/errors.js'
import { MAX_VALUE_BYTES } from '../base/layout.js'
import type { MissReason, NamespaceOptions } from '../base/types.js'
import type { CounterName } from '../counters/counters.js'
import { decodeValue } from '../encoding/decode.js'
import { createValueCodec, type ValueCodec, type ValueCodecOptions } from '../encoding/encode.js'
import { readSource } from '../fingerprint/fingerprint.js'
import type { Entry, Source } from '../manifest/entry.js'
import { type EntryKey, encodeVersion } from '../manifest/manifest.js'
import { FRESH, judge, sourceOf, type Verdict } from '../manifest/verdict.js'
import { isUseDue } from '../policy/policy.js'
import { checkNamespaceOptions, type Lifetime } from './options.js'
import { RecentValues } from './recent.js'
import type { NamespaceStore } from './store.js'

/** What a read came to; a value is never undefined. */
export type Outcome = { value: unknown; reason?: undefined } | { value?: undefined; reason: MissReason }

/** An entry to be stored. */
export interface Item extends Partial<Lifetime> {
  key: EntryKey
  bytes: Uint8Array
  /** What was looked at already; else `files` are looked at now. */
  sources?: readonly Source[] | undefined
}

/** Entries that are stored with one write for each file touched. */
const BATCH_ENTRIES = 512

export class Entries {
  readonly store: NamespaceStore
  readonly version: string
  readonly base: string | undefined
  readonly strictness: Required<NamespaceOptions>['files']
  readonly #versionBytes: Buffer
  readonly #codecOptions: ValueCodecOptions
  #codec: ValueCodec | undefined
  readonly #recent = new RecentValues()

  /** @throws CacheError `ERR_CACHE_OPTION` */
  constructor(store: NamespaceStore, options: NamespaceOptions) {
    const { version, cyclic, classInstances, base, files } = checkNamespaceOptions(options)
    this.store = store
    this.version = version
    this.base = base
    this.strictness = files
    this.#versionBytes = encodeVersion(version)
    this.#codecOptions = { cyclic, classInstances }
  }

  /** @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED` */
  keyOf(key: unknown, versionBytes = this.#versionBytes): EntryKey {
    this.store.expectOpen()
    return this.store.manifest.keyOf(versionBytes, key)
  }

  /**
   * The value's bytes, which the next call may overwrite.
   *
   * @throws CacheError `ERR_CACHE_VALUE`, `ERR_CACHE_VALUE_TOO_LARGE`
   */
  encode(value: unknown): Uint8Array {
    this.#codec ??= createValueCodec(this.#codecOptions)
    const bytes = this.#codec.encode(value)
    if (bytes.length <= MAX_VALUE_BYTES) return bytes
    const message = `A value must not take more than ${MAX_VALUE_BYTES} bytes; this one takes ${bytes.length}.`
    throw new CacheError('ERR_CACHE_VALUE_TOO_LARGE', message, { value })
  }

  /** What a get of the key gives; counts it. @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED` */
  get(key: string): unknown {
    this.store.expectOpen()
    const { value, reason } = this.#lookAgain(key) ?? this.look(this.keyOf(key), key)
    this.count(reason ?? 'hits')
    return value
  }

  /** The same without counting; the key's text is given for it to be read again soon. */
  look(key: EntryKey, text?: string): Outcome {
    try {
      for (let looks = 1; ; looks++) {
        const outcome = this.#read(key, text)
        if (outcome.reason !== 'blob-missing' || looks === MAX_LOOKS) return outcome
        // A gc may have moved the blob since this turn began, or dropped it because the key was set anew; and the next gc
        // moves it again.
        this.store.environment.turn.end()
      }
    } catch (error) {
      return this.#unread(error)
    }
  }

  /** What is kept in memory of the key, if it still holds. */
  #lookAgain(text: string): Outcome | undefined {
    const recent = this.#recent.get(text)
    if (!recent) return undefined
    try {
      const { key, state, entry, check, value } = recent
      if (!this.store.manifest.isUnchanged(key, state)) {
        this.#recent.forget(text)
        return undefined
      }
      const verdict = this.judge(entry)
      if (verdict.reason) return { reason: verdict.reason }
      const decoded = value.get()
      this.#noteUse(key, entry, check, verdict)
      return { value: decoded }
    } catch (error) {
      return this.#unread(error)
    }
  }

  #unread(error: unknown): Outcome {
    // That says nothing about the cache: its host is about to overflow the stack.
    if (isStackShort()) return { reason: 'unreadable' }
    this.store.report(error)
    return { reason: errnoOf(error) === undefined ? 'corrupt' : 'unreadable' }
  }

  /** Stores the items in order; returns how many. Their bytes must stay as they are meanwhile. */
  set(items: readonly Item[]): number {
    if (items.length === 1) return this.#setOne(items[0] as Item) ? 1 : 0
    let stored = 0
    while (stored < items.length && this.write(() => this.#setAll(items.slice(stored, stored + BATCH_ENTRIES)))) {
      stored = Math.min(stored + BATCH_ENTRIES, items.length)
    }
    return stored
  }

  judge(entry: Entry): Verdict {
    if (entry.ttlMs === undefined && !entry.sources) return FRESH
    const { base, strictness } = this
    return judge(this.store.environment, entry, { nowMs: this.store.now(), base, strictness })
  }

  /** Whether the work could be done. */
  write(work: () => void): boolean {
    return this.attempt(false, () => {
      if (!this.store.canWrite) return false
      work()
      return true
    })
  }

  /** The work's result; where it fails for no fault of the caller's, the failure is reported and the fallback returned. */
  attempt<T>(fallback: T, work: () => T): T {
    try {
      return work()
    } catch (error) {
      return this.#failed(error, fallback)
    }
  }

  #failed<T>(error: unknown, fallback: T): T {
    if (error instanceof CacheError && error.code === 'ERR_CACHE_OPTION') throw error
    this.store.report(error)
    return fallback
  }

  count(name: CounterName, by = 1): void {
    const { counters, manifest, canWrite } = this.store
    counters.count(name, by)
    if (!canWrite || !counters.isDue) return
    this.attempt(undefined, () => counters.flush())
    this.attempt(undefined, () => manifest.flush())
  }

  #read(key: EntryKey, text?: string): Outcome {
    const { manifest, blobs } = this.store
    const looked = manifest.look(key)
    if (!looked.entry) return { reason: looked.removal?.cause ?? this.#whyAbsent(key) }
    const { entry, check, record } = looked
    const { location } = entry.blob
    const verdict = this.judge(entry)
    if (verdict.reason) return { reason: verdict.reason }
    const bytes = blobs.get(entry.blob)
    if (!bytes) return { reason: 'blob-missing' }
    const value = decodeValue(bytes)
    // Before what follows may replace the entry.
    const state = text === undefined ? undefined : manifest.stateAt(key)
    if (text !== undefined && state) this.#recent.offer(text, key, state, record, bytes)
    this.#noteUse(key, entry, check, verdict, entry.blob.location !== location)
    return { value }
  }

  /** Remembers new stat fields of its sources, else the use, and where the blob is now. */
  #noteUse(key: EntryKey, entry: Entry, check: number, { refreshed }: Verdict, hasMoved = false): void {
    const usedAt = this.store.now()
    if (refreshed) {
      this.#refresh(key, { ...entry, usedAt, base: baseFor(refreshed, this.base), sources: refreshed }, check)
    } else if (hasMoved || isUseDue(entry.usedAt, usedAt)) {
      this.#amendLater(key, { ...entry, usedAt }, check)
    }
  }

  #whyAbsent(key: EntryKey): MissReason {
    return this.store.manifest.versionsOf(key).length > 0 ? 'version-changed' : 'never-set'
  }

  /** Remembers new stat fields, unless the key was set again meanwhile; a failure costs no more than the next check. */
  #refresh(key: EntryKey, entry: Entry, check: number): void {
    if (this.store.canWrite) this.attempt(false, () => this.store.manifest.swap({ key, entry }, check))
  }

  /** Remembers the use, and where the blob is now; a failure costs no more than a place in the queue. */
  #amendLater(key: EntryKey, entry: Entry, check: number): void {
    if (this.store.canWrite) this.attempt(undefined, () => this.store.manifest.amendLater(key, entry, check))
  }

  #sourceAt(file: string): Source {
    const path = resolve(file)
    return sourceOf(path, this.base, readSource(this.store.environment, path).fingerprint)
  }

  /** What `#setAll` does, without its lists: most sets are of one. */
  #setOne({ key, bytes, ttlMs, files, sources: given }: Item): boolean {
    const { blobs, manifest, canWrite } = this.store
    if (!canWrite) return false
    try {
      const sources = given ?? files?.map(file => this.#sourceAt(file))
      const stored = blobs.putOne(bytes)
      const now = this.store.now()
      const base = sources && baseFor(sources, this.base)
      manifest.put(key, { blob: stored.refs[0] as Entry['blob'], createdAt: now, usedAt: now, ttlMs, base, sources })
      blobs.confirm(stored)
    } catch (error) {
      return this.#failed(error, false)
    }
    this.#hasSet(1, bytes.length)
    return true
  }

  #setAll(items: readonly Item[]): void {
    const { blobs, manifest } = this.store
    const values = items.map(({ bytes }) => bytes)
    const sourcesOf = items.map(({ sources, files }) => sources ?? files?.map(file => this.#sourceAt(file)))
    const stored = blobs.put(values)
    const now = this.store.now()
    manifest.write(
      items.map(({ key, ttlMs }, index) => {
        const blob = stored.refs[index] as Entry['blob']
        const sources = sourcesOf[index]
        const base = sources && baseFor(sources, this.base)
        return { key, entry: { blob, createdAt: now, usedAt: now, ttlMs, base, sources } }
      }),
    )
    blobs.confirm(stored)
    this.#hasSet(
      items.length,
      values.reduce((sum, bytes) => sum + bytes.length, 0),
    )
  }

  #hasSet(count: number, bytes: number): void {
    this.store.indexSoon()
    this.count('sets', count)
    try {
      this.store.afterSet(count, bytes)
    } catch (error) {
      this.store.report(error)
    }
  }
}

/** Each of them but the first takes a gc that came in between, so that this many are beyond chance. */
const MAX_LOOKS = 8

/** More than half of what there is of the stack by default. */
const AMPLE_FRAMES = 6000

/** Whether little of the stack is left, so that nested values cannot be decoded, and not for a fault of theirs. */
function isStackShort(): boolean {
  const descend = (frames: number): number => (frames === 0 ? 0 : 1 + descend(frames - 1))
  try {
    return descend(AMPLE_FRAMES) !== AMPLE_FRAMES
  } catch (error) {
    if (error instanceof RangeError) return true
    throw error
  }
}

/** What an entry with these sources needs to say about the base. */
function baseFor(sources: readonly Source[], base: string | undefined): string | undefined {
  return sources.some(({ isRelative }) => isRelative) ? base : undefined
}
