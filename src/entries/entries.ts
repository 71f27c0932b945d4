// Reading and writing entries of one project, for all that a namespace offers. This is where the two halves of an entry meet:
// the manifest says which blob and how long it is valid, the blobs give its bytes. A set stores the blob before the entry, so
// an entry never refers to nothing; the write of the entry is the commit.
//
// It is also the border past which nothing broken gets through: a caller's mistake throws before anything is touched,
// everything that goes wrong afterwards is reported and becomes a miss, or a set that stored nothing.

import type { MissReason, Strategy } from '../api/index.js'
import { CacheError, errnoOf, isStackOverflow } from '../base/errors.js'
import { MAX_VALUE_BYTES } from '../base/layout.js'
import type { CounterName } from '../counters/counters.js'
import { decodeValue } from '../encoding/decode.js'
import { createValueCodec, type ValueCodec } from '../encoding/encode.js'
import { decodeJsonBytes, encodeJsonBytes } from '../encoding/foreign-json.js'
import type { ValueCodecOptions } from '../encoding/options.js'
import type { Input } from '../inputs/input.js'
import { type Asker, type Snapshot, VALID, type Validity } from '../inputs/snapshot.js'
import type { Entry, Head } from '../manifest/entry.js'
import { encodePrefix, type KeyKind, type KeyParts } from '../manifest/key.js'
import type { EntryKey, Lookup } from '../manifest/manifest.js'
import { isExpired, isUseDue } from '../policy/policy.js'
import { type Project, type Scope, workingDirectory } from '../project/project.js'
import { findAnswer, makeCurrent } from './answers.js'
import { EntriesAsker } from './asker.js'
import { missing, type Outcome, type Question } from './outcome.js'
import { isStackShort } from './stack.js'
import type { NamespaceStore } from './store.js'
import { ValueCache } from './value-cache.js'
import { type Item, writeItems } from './write.js'

/** What all entries of a handle have in common. */
export interface EntryOptions extends ValueCodecOptions {
  version: string
  strategy: Strategy
  isPortable: boolean
  validate: ((value: unknown) => boolean) | undefined
  /** Whether values are given and had as JSON in UTF-8. */
  isJson: boolean
}

/** Entries that are stored with one write for each file touched. */
const BATCH_ENTRIES = 512

export class Entries {
  readonly store: NamespaceStore
  readonly options: EntryOptions
  /** Undefined for user-wide keys, and where there is no project. */
  readonly project: Project | undefined
  /** False: the working directory belongs to no project, so keys are not stored. */
  readonly hasKeys: boolean
  /** Whether the project is that of the working directory. */
  readonly isByDirectory: boolean
  /** Whose keys `set` uses. */
  readonly scope: Scope
  readonly #prefixes = new Map<string, Buffer>()
  #codec: ValueCodec | undefined
  #exactCodec: ValueCodec | undefined
  readonly #cached = new ValueCache()

  /** `project` is undefined where there is none; null: keys are the user's. */
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
   * The key of an entry that is set, or of a computed one; see `computedScope`.
   *
   * @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED`
   */
  keyOf(key: unknown, kind: KeyKind = 'plain', scope: Scope = this.scope): EntryKey {
    this.store.expectOpen()
    const name = `${scope} ${kind}`
    let prefix = this.#prefixes.get(name)
    if (!prefix) {
      const project = scope === 'project' ? (this.project?.dir ?? '') : ''
      prefix = encodePrefix({ version: this.options.version, scope, kind, project })
      this.#prefixes.set(name, prefix)
    }
    return this.store.manifest.keyOf(prefix, key)
  }

  /** Whose keys `getOrSet` and `wrap` use. */
  get computedScope(): Scope {
    return this.options.isPortable ? 'portable' : this.scope
  }

  /** Where the references of entries lead. */
  asker(file?: string, location = '', text?: Input): Asker {
    return new EntriesAsker(this, this.store.now, file, location, text)
  }

  /**
   * The value's bytes, which the next call may overwrite.
   *
   * @throws CacheError `ERR_CACHE_VALUE`, `ERR_CACHE_VALUE_TOO_LARGE`
   */
  encode(value: unknown): Uint8Array {
    this.#codec ??= createValueCodec(this.options)
    return assertSize(this.#codec.encode(value), value)
  }

  /** Likewise, of what tells questions apart: instances of classes may differ in what their fields don't show. @throws the same */
  encodeExactly(value: unknown): Uint8Array {
    this.#exactCodec ??= createValueCodec({ ...this.options, classInstances: 'refuse' })
    return assertSize(this.#exactCodec.encode(value), value)
  }

  /** Likewise, of what is stored for a caller to get back. @throws the same */
  encodeValue(value: unknown): Uint8Array {
    return this.options.isJson ? assertSize(encodeJsonBytes(value), value) : this.encode(value)
  }

  /** @throws what `decodeValue` throws; CacheError `ERR_CACHE_VALUE` for what JSON can't say, where the caller wants JSON */
  decode(bytes: Uint8Array): unknown {
    return this.options.isJson ? decodeJsonBytes(bytes, decodeValue) : decodeValue(bytes)
  }

  /** What a get of the key gives; counts it. @throws CacheError `ERR_CACHE_KEY`, `ERR_CACHE_CLOSED` */
  get(key: string): Outcome {
    this.store.expectOpen()
    const outcome = this.look(key)
    this.count(outcome.reason ?? 'hits')
    return outcome
  }

  /** The same without counting. A portable namespace's computed entries count where nothing was set. */
  look(key: string): Outcome {
    if (this.store.mode === 'off' || !this.hasKeys) return missing(this.hasKeys ? 'never-set' : 'no-project')
    const cached = this.#lookInMemory(key)
    if (cached) return cached
    const outcome = this.find(this.keyOf(key), undefined, this.options.isJson ? undefined : key)
    if (!this.options.isPortable || outcome.reason === undefined) return outcome
    // A set removes what was computed for every checkout, so that what is there is younger.
    const portable = this.find(this.keyOf(key, 'plain', 'portable'), undefined)
    const isAbsent = outcome.reason === 'never-set' || outcome.reason === 'version-changed'
    return portable.reason === undefined || (isAbsent && portable.reason !== 'never-set') ? portable : outcome
  }

  /** What is under a key, for a question or, without one, for a get; `text` is given for it to be read again soon. */
  find(key: EntryKey, question: Question | undefined, text?: string): Outcome {
    if (this.store.mode === 'off') return missing('never-set')
    try {
      for (let looks = 1; ; looks++) {
        const outcome = this.#find(key, question, text)
        if (outcome.reason !== 'blob-missing' || looks === MAX_LOOKS) return outcome
        // A gc may have moved the blob since this turn began, or dropped it because the key was set anew; and the next gc
        // moves it again.
        this.store.environment.turn.end()
      }
    } catch (error) {
      // There is a value, but not for this caller.
      if (error instanceof CacheError && error.code === 'ERR_CACHE_VALUE') throw error
      return missing(this.#unread(error))
    }
  }

  /** Whether the entry still answers the question. */
  validate(entry: Entry, asker: Asker, ttlMs?: number, snapshot?: Snapshot): Validity {
    if (this.store.mode === 'refresh' && entry.createdAt < this.store.openedAt) return { reason: 'evicted' }
    const lifetimeMs = Math.min(entry.ttlMs ?? Number.POSITIVE_INFINITY, ttlMs ?? Number.POSITIVE_INFINITY)
    if (lifetimeMs !== Number.POSITIVE_INFINITY && isExpired(entry.createdAt, lifetimeMs, this.store.now())) {
      return { reason: 'expired' }
    }
    if (!entry.inputs) return VALID
    return (snapshot ?? this.store.snapshot()).validate(entry.inputs, asker, this.options.strategy)
  }

  /** Stores the items in order; returns how many. Their bytes must stay as they are meanwhile. */
  set(given: readonly Item[]): number {
    if (!this.hasKeys) {
      this.reportNoProject()
      return 0
    }
    // One that is too large keeps the others from nothing.
    const items = given.length === 1 ? given : given.filter(({ bytes }) => this.#fits(bytes))
    let stored = 0
    while (stored < items.length && this.write(() => writeItems(this, items.slice(stored, stored + BATCH_ENTRIES)))) {
      stored = Math.min(stored + BATCH_ENTRIES, items.length)
    }
    return stored
  }

  #fits(bytes: Uint8Array): boolean {
    return this.attempt(false, () => {
      this.store.blobs.assertFits(bytes)
      return true
    })
  }

  /** Once: keys in such a directory would be shared by everything that runs there. */
  reportNoProject(): void {
    const message =
      `Nothing is cached in ${workingDirectory() ?? 'a directory that was removed'}, which belongs to no project; ` +
      'the namespace option `project: false` makes keys user-wide, `project: dir` names a project.'
    this.store.report(new CacheError('ERR_CACHE_PROJECT', message))
  }

  /** Whether the work could be done. */
  write(work: () => void): boolean {
    return this.attempt(false, () => {
      if (!this.store.canWrite) return false
      // What `cache.snapshot` promises is that nothing else changes.
      this.store.snapshot().forgetEntries()
      work()
      return true
    })
  }

  /** The work's result; where it fails for no fault of the caller's, the failure is reported and the fallback returned. */
  attempt<T>(fallback: T, work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof CacheError && error.code === 'ERR_CACHE_OPTION') throw error
      // That says nothing about the cache: its host is about to overflow the stack.
      if (!isStackOverflow(error)) this.store.report(error)
      return fallback
    }
  }

  count(name: CounterName, by = 1): void {
    const { counters, manifest, canWrite, mode } = this.store
    if (mode === 'off') return
    counters.count(name, by)
    if (!canWrite) return
    this.store.fileHashes.flushIfDue(this.store.report)
    if (!counters.isDue) return
    this.attempt(undefined, () => counters.flush())
    this.attempt(undefined, () => manifest.flush())
  }

  /** After entries were stored. */
  hasSet(count: number, bytes: number): void {
    this.store.indexSoon()
    this.count('sets', count)
    this.attempt(undefined, () => this.store.afterSet(count, bytes))
  }

  /** What is kept in memory of the key, if it still holds. */
  #lookInMemory(text: string): Outcome | undefined {
    const cached = this.#cached.get(text)
    if (!cached) return undefined
    try {
      const { key, state, head, entry, check, value } = cached
      if (!this.store.manifest.isUnchanged(key, state)) {
        this.#cached.forget(text)
        return undefined
      }
      const asker = this.asker()
      const validity = this.validate(entry, asker)
      if (validity.reason !== undefined) return undefined
      const decoded = value.get()
      this.#noteUse(key, head, check)
      return { value: decoded, entry }
    } catch (error) {
      return missing(this.#unread(error))
    }
  }

  #unread(error: unknown): MissReason {
    // That says nothing about the cache: its host is about to overflow the stack.
    if (isStackShort()) return 'unreadable'
    this.store.report(error)
    // Such as a value that a later version of the library has stored.
    if (error instanceof CacheError && error.code !== 'ERR_CACHE_CORRUPT') return 'unreadable'
    return errnoOf(error) === undefined ? 'corrupt' : 'unreadable'
  }

  #find(key: EntryKey, question: Question | undefined, text: string | undefined): Outcome {
    const { manifest, blobs } = this.store
    const found = manifest.look(key)
    const { head, entry, removal, check, record } = found
    if (!head) return missing(removal?.cause ?? this.#whyAbsent(key), found)
    const asker = question?.asker ?? this.asker()
    const snapshot = entry && !entry.inputs ? undefined : this.store.snapshot()
    if (!entry) return this.#findAnswer(key, found, question, asker, snapshot, removal?.cause ?? this.#whyAbsent(key))
    const isComputed = entry.computeMs !== undefined
    if (question && isComputed && !isSameDigest(question.digest, entry.question)) {
      return this.#findAnswer(key, found, question, asker, snapshot, 'question-changed')
    }
    const validity = this.validate(entry, asker, question?.ttlMs, snapshot)
    if (validity.reason !== undefined) {
      const reason = this.#isBeforeRefresh(entry) ? 'refresh' : validity.reason
      if (!isComputed) return { reason, found, validity }
      return this.#findAnswer(key, found, question, asker, snapshot, reason, validity)
    }
    const { location } = entry.blob
    const bytes = blobs.get(entry.blob)
    if (!bytes) return missing('blob-missing', found)
    const value = this.decode(bytes)
    if (!this.#isAsExpected(value)) return missing('invalid', found)
    // Before what follows may replace the entry.
    const state = text === undefined ? undefined : manifest.stateAt(key)
    if (text !== undefined && state && record) this.#cached.offer(text, key, state, record, bytes)
    this.#noteUse(key, head, check, entry.blob.location !== location)
    return { value, entry }
  }

  /** An answer for the state that the inputs have now, where the current entry is for another one. */
  #findAnswer(
    key: EntryKey,
    current: Lookup,
    question: Question | undefined,
    asker: Asker,
    looked: Snapshot | undefined,
    reason: MissReason,
    validity?: Validity,
  ): Outcome {
    const snapshot = looked ?? this.store.snapshot()
    const { epoch = 0, entry: before } = current.head ?? {}
    const digest = question ? question.digest : before?.question
    const miss = { reason, found: current, validity, snapshot }
    const found = findAnswer(this.store, key, epoch, digest, asker, snapshot)
    if (!found || this.validate(found.entry, asker, question?.ttlMs, snapshot).reason !== undefined) return miss
    const { entry } = found
    const bytes = this.store.blobs.get(entry.blob)
    if (!bytes) return miss
    const value = this.decode(bytes)
    if (!this.#isAsExpected(value)) return miss
    // The current entry of another checkout stays: checkouts that are used in turns would replace each other's.
    if (before?.seenIn === undefined || before.seenIn === asker.dir) {
      this.write(() => this.#makeCurrent(key, current, { ...entry, seenIn: before?.seenIn ?? entry.seenIn }, bytes))
    } else {
      this.#noteUse(found.key, { epoch, entry }, found.check)
    }
    return { value, entry }
  }

  /** The value is stored as by a set: a gc may be about to remove it. */
  #makeCurrent(key: EntryKey, current: Lookup, entry: Entry, bytes: Buffer): void {
    const { store } = this
    const stored = store.blobs.putOne(Buffer.from(bytes))
    const blob = stored.refs[0] ?? entry.blob
    makeCurrent(store, key, current, { ...entry, blob, usedAt: store.now() })
    store.blobs.confirm(stored)
    store.indexSoon()
  }

  #isBeforeRefresh({ createdAt }: Entry): boolean {
    return this.store.mode === 'refresh' && createdAt < this.store.openedAt
  }

  #isAsExpected(value: unknown): boolean {
    const { validate } = this.options
    try {
      return validate === undefined || validate(value) === true
    } catch (error) {
      const message = `The namespace's validate threw: ${String(error)}`
      this.store.report(new CacheError('ERR_CACHE_OPTION', message, { value, cause: error }))
      return false
    }
  }

  /** Remembers the use, and where the blob is now. */
  #noteUse(key: EntryKey, head: Head, check: number, hasMoved = false): void {
    const { entry } = head
    if (!entry || !this.store.canWrite) return
    const usedAt = this.store.now()
    if (!hasMoved && !isUseDue(entry.usedAt, usedAt)) return
    this.attempt(undefined, () => this.store.manifest.amendLater(key, { ...head, entry: { ...entry, usedAt } }, check))
  }

  #whyAbsent(key: EntryKey): MissReason {
    const { manifest } = this.store
    const others = manifest.lookEverywhere(key)
    if (others.length === 0) return 'never-set'
    const { version, scope, project, kind } = manifest.partsOf(key)
    const isOtherVersion = (other: KeyParts) =>
      other.version !== version && other.scope === scope && other.project === project && other.kind === kind
    return others.some(isOtherVersion) ? 'version-changed' : 'never-set'
  }
}

/** The bytes. @throws CacheError `ERR_CACHE_VALUE_TOO_LARGE` */
function assertSize(bytes: Uint8Array, value: unknown): Uint8Array {
  if (bytes.length <= MAX_VALUE_BYTES) return bytes
  const message = `A value must not take more than ${MAX_VALUE_BYTES} bytes; this one takes ${bytes.length}.`
  throw new CacheError('ERR_CACHE_VALUE_TOO_LARGE', message, { value })
}

/** Each of them but the first takes a gc that came in between, so that this many are beyond chance. */
const MAX_LOOKS = 8

function isSameDigest(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other)
}
