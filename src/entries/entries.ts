// Reads and writes the entries of one project. An entry has two halves: its record in the manifest says which blob it has and
// how long it is valid; the blob holds its bytes. A set stores the blob before the entry, so an entry never refers to a missing
// blob. Writing the entry is the commit.
//
// Errors stop here. A caller's mistake throws before anything is changed. Everything that fails later is reported, and becomes
// a miss or a set that stored nothing.

import type { MissReason, Strategy } from '../api/index.js'
import { CacheError, errnoOf, ifThere, isStackOverflow } from '../base/errors.js'
import type { CounterName, TimeName } from '../counters/names.js'
import { decodeValue } from '../encoding/decode.js'
import { decodeJsonBytes } from '../encoding/foreign-json.js'
import type { ValueCodecOptions } from '../encoding/options.js'
import type { Input } from '../inputs/input.js'
import type { Asker, Snapshot } from '../inputs/snapshot.js'
import { VALID, type Validity } from '../inputs/validity.js'
import type { RecordView } from '../log-map/record.js'
import type { Entry, Head } from '../manifest/entry.js'
import { encodePrefix, type KeyKind } from '../manifest/key.js'
import type { EntryKey } from '../manifest/records.js'
import { isExpired, isUseDue } from '../policy/policy.js'
import type { Project, Scope } from '../project/project.js'
import { whyAbsent } from './absence.js'
import { answerInstead } from './answer-instead.js'
import { createAsker } from './asker.js'
import { createEntryEncoder, type EntryEncoder } from './entry-encoder.js'
import { missing, type Outcome, type Question } from './outcome.js'
import { isStackShort } from './stack.js'
import type { NamespaceStore } from './store.js'
import { tracedLook } from './trace.js'
import { createValueCache, type ValueCache } from './value-cache.js'
import { type Item, setItems } from './write.js'

/** The options of a handle's entries. */
export interface EntryOptions extends ValueCodecOptions {
  version: string
  strategy: Strategy
  isPortable: boolean
  validate: ((value: unknown) => boolean) | undefined
  /** Whether values are passed and returned as JSON in UTF-8. */
  isJson: boolean
}

export class Entries {
  readonly store: NamespaceStore
  readonly options: EntryOptions
  /** Undefined for user-wide keys, and if there is no project. */
  readonly project: Project | undefined
  /** False if the working directory belongs to no project, so that nothing is stored. */
  readonly hasKeys: boolean
  /** Whether the project is that of the working directory. */
  readonly isByDirectory: boolean
  /** The scope of the keys of `set`. */
  readonly scope: Scope
  readonly #prefixes = new Map<string, Buffer>()
  #encoder: EntryEncoder | undefined
  /** Keys that were read once. */
  readonly #readOnce = new Set<string>()
  #cached: ValueCache | undefined

  /** `project` is undefined if there is none, and null for user-wide keys. */
  constructor(
    store: NamespaceStore,
    options: EntryOptions,
    project: Project | undefined | null,
    isByDirectory: boolean,
  ) {
    this.store = store
    this.options = options
    this.project = project ?? undefined
    this.hasKeys = project !== undefined
    this.isByDirectory = isByDirectory
    this.scope = project === null ? 'user' : 'project'
  }

  /**
   * The key of an entry. Computed entries may have another scope; see `computedScope`.
   *
   * @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED`
   */
  keyOf(key: unknown, kind: KeyKind = 'plain', scope: Scope = this.scope): EntryKey {
    this.store.assertOpen()
    const name = `${scope} ${kind}`
    let prefix = this.#prefixes.get(name)
    if (!prefix) {
      const project = scope === 'project' ? (this.project?.dir ?? '') : ''
      prefix = encodePrefix({ version: this.options.version, scope, kind, project })
      this.#prefixes.set(name, prefix)
    }
    return this.store.manifest.keyOf(prefix, key)
  }

  /** The scope of the keys of `getOrSet` and `wrap`. */
  get computedScope(): Scope {
    return this.options.isPortable ? 'portable' : this.scope
  }

  /** Encodes the values of these entries. */
  get encoder(): EntryEncoder {
    this.#encoder ??= createEntryEncoder(this.options)
    return this.#encoder
  }

  /** The directories that the references of these entries are resolved against. */
  asker(file?: string, location = '', text?: Input): Asker {
    return createAsker(this, this.store.now, file, location, text)
  }

  /** @throws what `decodeValue` throws; CacheError `ERR_CACHE_VALUE` if the caller wants JSON and JSON can't express the value */
  decode(bytes: Uint8Array): unknown {
    return this.options.isJson ? decodeJsonBytes(bytes, decodeValue) : decodeValue(bytes)
  }

  /** Gets the value of the key, and counts a hit or a miss. @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED` */
  get(key: string): Outcome {
    this.store.assertOpen()
    // Where what traces can't be loaded, the call is not traced.
    const traced = this.store.trace ? ifThere(this.store.report, undefined, () => tracedLook(this, key)) : undefined
    const outcome = traced ?? this.look(key)
    if (outcome.reason === undefined) this.countTime('time-saved', outcome.entry.computeMs)
    this.count(outcome.reason ?? 'hits')
    return outcome
  }

  /** Like `get`, without counting. In a portable namespace, finds a computed entry if nothing was set. */
  look(key: string): Outcome {
    if (this.store.mode === 'off' || !this.hasKeys) return missing(this.hasKeys ? 'never-set' : 'no-project')
    const cached = this.#cached?.look(this, key)
    if (cached) return cached
    const outcome = this.find(this.keyOf(key), undefined, this.options.isJson ? undefined : key)
    if (!this.options.isPortable || outcome.reason === undefined) return outcome
    // A set removes the portable entry. If there is one, it is newer.
    const portable = this.find(this.keyOf(key, 'plain', 'portable'), undefined)
    const isAbsent = outcome.reason === 'never-set' || outcome.reason === 'version-changed'
    return portable.reason === undefined || (isAbsent && portable.reason !== 'never-set') ? portable : outcome
  }

  /** Looks up a key, for a question or for a plain get. If `text` is given, the entry is remembered for later reads. */
  find(key: EntryKey, question: Question | undefined, text?: string): Outcome {
    if (this.store.mode === 'off') return missing('never-set')
    try {
      for (let looks = 1; ; looks++) {
        const outcome = this.#find(key, question, text)
        if (outcome.reason !== 'blob-missing' || looks === MAX_LOOKS) return outcome
        // A gc may have moved the blob since this tick began, or dropped it because the key was set again. The next gc may move
        // it once more.
        this.store.environment.tick.end()
      }
    } catch (error) {
      // There is a value, but this caller can't use it.
      if (error instanceof CacheError && error.code === 'ERR_CACHE_VALUE') throw error
      return missing(this.unread(error))
    }
  }

  /** Whether the entry still answers the question. */
  validate(entry: Entry, asker: Asker, ttlMs?: number, snapshot?: Snapshot): Validity {
    const validity = this.validateAge(entry, ttlMs)
    if (!entry.inputs || validity.reason !== undefined) return validity
    return (snapshot ?? this.store.snapshot()).validate(entry.inputs, asker, this.options.strategy)
  }

  /** Checks all but the inputs. */
  validateAge(entry: Entry, ttlMs = Number.POSITIVE_INFINITY): Validity {
    if (this.store.mode === 'refresh' && entry.createdAt < this.store.openedAt) return { reason: 'evicted' }
    const lifetimeMs = Math.min(entry.ttlMs ?? Number.POSITIVE_INFINITY, ttlMs)
    const isOver = lifetimeMs !== Number.POSITIVE_INFINITY && isExpired(entry.createdAt, lifetimeMs, this.store.now())
    return isOver ? { reason: 'expired' } : VALID
  }

  /** Stores the items in order. Returns how many were stored. Their bytes must not change meanwhile. */
  set(items: readonly Item[]): number {
    return setItems(this, items)
  }

  /** Runs the work. Returns whether it succeeded. */
  write(work: () => void): boolean {
    return this.attempt(false, () => {
      if (!this.store.canWrite) return false
      // In `cache.snapshot`, the caller promises that nothing else changes.
      this.store.forgetEntries()
      work()
      return true
    })
  }

  /** Returns the result of the work. If it fails through no fault of the caller, reports the error and returns the fallback. */
  attempt<T>(fallback: T, work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof CacheError && error.code === 'ERR_CACHE_OPTION') throw error
      // A stack overflow of the host says nothing about the cache.
      if (!isStackOverflow(error)) this.store.report(error)
      return fallback
    }
  }

  count(name: CounterName, by = 1): void {
    const { counters, manifest, canWrite, mode } = this.store
    if (mode === 'off') return
    counters.count(name, by, this.project?.dir)
    if (!canWrite) return
    this.store.flushFileHashes()
    if (!counters.isDue) return
    this.attempt(undefined, () => counters.flush())
    this.attempt(undefined, () => manifest.flush())
  }

  /** Undefined for an entry that was set. */
  countTime(name: TimeName, ms: number | undefined): void {
    if (ms !== undefined && this.store.mode !== 'off') this.store.counters.countTime(name, ms, this.project?.dir)
  }

  /** The reason of the miss when a lookup failed. */
  unread(error: unknown): MissReason {
    // A stack overflow of the host says nothing about the cache.
    if (isStackShort()) return 'unreadable'
    this.store.report(error)
    // For example a value that a later version of the library has stored.
    if (error instanceof CacheError && error.code !== 'ERR_CACHE_CORRUPT') return 'unreadable'
    return errnoOf(error) === undefined ? 'corrupt' : 'unreadable'
  }

  #find(key: EntryKey, question: Question | undefined, text: string | undefined): Outcome {
    const { manifest, blobs } = this.store
    const found = manifest.look(key)
    const { head, entry, removal, check, record } = found
    if (!head) return missing(removal?.cause ?? whyAbsent(manifest, key), found)
    const snapshot = entry && !entry.inputs ? undefined : this.store.snapshot()
    if (!entry) return answerInstead(this, key, found, question, removal?.cause ?? whyAbsent(manifest, key), snapshot)
    const isComputed = entry.computeMs !== undefined
    if (question && isComputed && !isSameDigest(question.digest, entry.question)) {
      return answerInstead(this, key, found, question, 'question-changed', snapshot)
    }
    const validity = entry.inputs
      ? this.validate(entry, question?.asker ?? this.asker(), question?.ttlMs, snapshot)
      : this.validateAge(entry, question?.ttlMs)
    if (validity.reason !== undefined) {
      const reason = this.#isBeforeRefresh(entry) ? 'refresh' : validity.reason
      if (!isComputed) return { reason, found, validity }
      return answerInstead(this, key, found, question, reason, snapshot, validity)
    }
    const { location } = entry.blob
    const bytes = blobs.get(entry.blob)
    if (!bytes) return missing('blob-missing', found)
    const value = this.decode(bytes)
    if (!this.isAsExpected(value)) return missing('invalid', found)
    // Must happen before the following calls may replace the entry.
    if (text !== undefined && record) this.#keepIfReadAgain(text, key, record, bytes)
    this.noteUse(key, head, check, entry.blob.location !== location)
    return { value, entry }
  }

  /** A value is kept when it is read for the second time, so that a run that reads each key once doesn't pay for it. */
  #keepIfReadAgain(text: string, key: EntryKey, record: RecordView, bytes: Buffer): void {
    if (!this.#readOnce.has(text)) {
      if (this.#readOnce.size >= MAX_READ_ONCE) this.#readOnce.clear()
      this.#readOnce.add(text)
      return
    }
    const state = this.store.manifest.stateAt(key)
    if (!state) return
    this.#cached ??= createValueCache()
    this.#cached.keep(text, key, state, record, bytes)
  }

  #isBeforeRefresh({ createdAt }: Entry): boolean {
    return this.store.mode === 'refresh' && createdAt < this.store.openedAt
  }

  /** Whether the value passes the namespace's `validate`. */
  isAsExpected(value: unknown): boolean {
    const { validate } = this.options
    try {
      return validate === undefined || validate(value) === true
    } catch (error) {
      const message = `The namespace's validate threw: ${String(error)}`
      this.store.report(new CacheError('ERR_CACHE_OPTION', message, { value, cause: error }))
      return false
    }
  }

  /** Records the use, and the blob's new location. */
  noteUse(key: EntryKey, head: Head, check: number, hasMoved = false): void {
    const { entry } = head
    if (!entry || !this.store.canWrite) return
    const usedAt = this.store.now()
    if (!hasMoved && !isUseDue(entry.usedAt, usedAt)) return
    this.attempt(undefined, () => this.store.manifest.amendLater(key, { ...head, entry: { ...entry, usedAt } }, check))
  }
}

const MAX_READ_ONCE = 65_536

/** How many lookups are tried. Each further one needs another gc in between, so more don't happen by chance. */
const MAX_LOOKS = 8

function isSameDigest(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other)
}
