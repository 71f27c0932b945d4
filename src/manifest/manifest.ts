// The index of one namespace: version and key -> entry, a log map of its own, so that no namespace can see or break
// another one's. A removed key keeps a record that says why until its bucket is rewritten.
//
// The hashes are of the key without the version, so that all versions of a key lie in one bucket and are found together.

import { CacheError } from '../base/errors.js'
import { MAX_KEY_BYTES } from '../base/layout.js'
import type { Hashing } from '../hashing/hashing.js'
import type { Environment } from '../log/environment.js'
import { type BucketState, LogMap } from '../log-map/log-map.js'
import { type Change, changeOf, hashedPosition, type Position, type RecordView } from '../log-map/record.js'
import { decodeEntry, type Entry, encodeEntry } from './entry.js'

export const REMOVAL_CAUSES = [
  'deleted',
  'invalidated',
  'expired',
  'source-changed',
  'source-missing',
  'source-appeared',
  'evicted',
] as const
/** Why an entry was removed. */
export type RemovalCause = (typeof REMOVAL_CAUSES)[number]

/** A key as the manifest looks it up. */
export interface EntryKey extends Position {
  /** Version length u8, version, key; UTF-8. */
  bytes: Buffer
}

export interface Removal {
  cause: RemovalCause
  /** The source that was the cause, as an absolute path. */
  path?: string | undefined
}

export type Looked =
  | { entry: Entry; check: number; record: RecordView }
  | { entry?: undefined; removal: Removal | undefined }

export interface ListedEntry {
  version: string
  key: string
  entry: Entry
  check: number
}

export type EntryChange = { key: EntryKey } & ({ entry: Entry } | { entry?: undefined; removal: Removal })

/** An entry as it lies in its bucket; the buffers are views that the next call on the manifest may overwrite. */
export interface StoredEntry {
  key: EntryKey
  entry: Entry
  check: number
  /** What its frame takes in the file. */
  frameBytes: number
}

const MAX_VERSION_BYTES = 255
const MAX_AMENDMENTS = 1024

/** @throws CacheError `ERR_CACHE_OPTION` */
export function encodeVersion(version: unknown): Buffer {
  const bytes = typeof version === 'string' && version.isWellFormed() ? Buffer.from(version) : undefined
  if (bytes && bytes.length <= MAX_VERSION_BYTES) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const message = `A namespace version must be a well-formed string of at most ${MAX_VERSION_BYTES} bytes.`
  throw new CacheError('ERR_CACHE_OPTION', message, { value: version })
}

export class Manifest {
  readonly #map: LogMap
  /** By key. */
  readonly #amendments = new Map<string, Change>()
  readonly #environment: Environment

  /** `identity` is the namespace's place below the root. */
  constructor(environment: Environment, path: string, identity: string) {
    this.#environment = environment
    this.#map = new LogMap(environment, path, identity, bytes => entryPosition(environment.hashing, bytes))
  }

  /**
   * `version` as `encodeVersion` gives it.
   *
   * @throws CacheError `ERR_CACHE_KEY`
   */
  keyOf(version: Buffer, key: unknown): EntryKey {
    const refuse = (why: string) => new CacheError('ERR_CACHE_KEY', `A key ${why}.`, { value: key })
    if (typeof key !== 'string') throw refuse('must be a string')
    if (key === '') throw refuse('must not be empty')
    if (!key.isWellFormed()) throw refuse('must not contain lone surrogates')
    const start = version.length
    const bytes = Buffer.allocUnsafe(start + Buffer.byteLength(key))
    if (bytes.length - start > MAX_KEY_BYTES) throw refuse(`must not be longer than ${MAX_KEY_BYTES} bytes`)
    bytes.set(version)
    bytes.write(key, start)
    const { place, slot } = entryPosition(this.#environment.hashing, bytes)
    return { place, slot, bytes }
  }

  /** Of what is around the key's record, for `isUnchanged`. @throws errno-style errors */
  stateAt({ place }: EntryKey): BucketState | undefined {
    return this.#map.stateAt(place)
  }

  /** Whether the key's record is certainly the same as when this was the state. @throws errno-style errors */
  isUnchanged({ place }: EntryKey, state: BucketState): boolean {
    return this.#map.isUnchanged(place, state)
  }

  /** @throws errno-style errors; RangeError for a record that is no entry */
  look(key: EntryKey): Looked {
    const found = this.#map.get(key, key.bytes)
    if (found?.isPut) return { entry: entryIn(found), check: found.check, record: found }
    return { removal: found && decodeRemoval(found.value) }
  }

  /** The key's entries under all versions. */
  lookAllVersions(key: EntryKey): ListedEntry[] {
    const isSameKey = (bytes: Buffer) => bytes.subarray(keyStart(bytes)).equals(key.bytes.subarray(keyStart(key.bytes)))
    return this.#map
      .getAll(key)
      .filter(found => found.kind === 'put' && isSameKey(found.key))
      .map(listed)
  }

  /** The versions under which the key has an entry. */
  versionsOf(key: EntryKey): string[] {
    return this.lookAllVersions(key).map(({ version }) => version)
  }

  /** @throws errno-style errors; CacheError `ERR_CACHE_IO`; some of the changes may have been made */
  write(changes: readonly EntryChange[]): void {
    this.#map.write(changes.map(change => toChange(change)))
  }

  /** The same for one entry. */
  put(key: EntryKey, entry: Entry): void {
    this.#map.write([changeOf('put', key, key.bytes, encodeEntry(entry))])
  }

  /** Makes the change only while the key's entry is the one with this check; returns whether it did. */
  swap(change: EntryChange, expected: number): boolean {
    return this.swapMany([{ ...change, expected }])[0] as boolean
  }

  /** The same for many, with one write for each bucket touched. */
  swapMany(changes: readonly (EntryChange & { expected: number })[]): boolean[] {
    return this.#map.write(changes.map(change => toChange(change, change.expected)))
  }

  /**
   * Notes an amendment that can wait, the first one to an entry with this check; of a process that is killed it is lost. Many are written
   * at once, by `flush`.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  amendLater(key: EntryKey, entry: Entry, check: number): void {
    const name = key.bytes.toString('latin1')
    if (this.#amendments.get(name)?.expected === check) return
    this.#amendments.set(name, toChange({ key, entry }, check))
    if (this.#amendments.size >= MAX_AMENDMENTS) this.flush()
  }

  /** Writes the amendments noted so far, each unless its key was set again meanwhile. @throws like `write` */
  flush(): void {
    if (this.#amendments.size === 0) return
    const changes = [...this.#amendments.values()]
    // They are not worth a second attempt.
    this.#amendments.clear()
    this.#map.write(changes)
  }

  /** Whether there are no entries. @throws errno-style errors */
  get isEmpty(): boolean {
    return this.#map.isEmpty
  }

  clear(): number {
    return this.#map.clear()
  }

  /** Rewrites the bucket at this place if enough of it is dead. */
  compactAt(place: number): void {
    this.#map.compactAt(place)
  }

  /** Removes what dead processes left of their work. */
  removeLeftovers(): void {
    this.#map.removeLeftovers()
  }

  /**
   * The entries of the bucket at this place, and the share of all places that it has; from place 0 on, part by part, they are
   * all. @throws like `look`
   */
  partAt(place: number): { entries: StoredEntry[]; next: number; share: number } {
    const { part, next } = this.#map.partAt(place)
    const entries = part?.records().map(found => ({
      key: { place: found.place, slot: found.slot, bytes: found.key },
      entry: entryIn(found),
      check: found.check,
      frameBytes: found.frameBytes,
    }))
    return { entries: entries ?? [], next, share: 16 ** -(part?.prefix.length ?? 0) }
  }

  *entries(): IterableIterator<ListedEntry> {
    for (const found of this.#map.records()) yield listed(found)
  }

  /** The same in parts; see `LogMap.parts`. */
  *parts(): IterableIterator<{ prefix: string; stamp: string; entries(): ListedEntry[] }> {
    for (const { prefix, stamp, records } of this.#map.parts()) {
      yield { prefix, stamp, entries: () => records().map(listed) }
    }
  }

  close(): void {
    this.#map.close()
  }
}

/** By the key without its version. */
export function entryPosition(hashing: Hashing, bytes: Buffer): Position {
  return hashedPosition(hashing, bytes, keyStart(bytes))
}

/** Where the key begins after its version. */
function keyStart(bytes: Buffer): number {
  return Math.min(1 + (bytes[0] ?? 0), bytes.length)
}

function toChange(change: EntryChange, expected?: number): Change {
  const { key, entry } = change
  if (entry) return changeOf('put', key, key.bytes, encodeEntry(entry), expected)
  return changeOf('remove', key, key.bytes, encodeRemoval(change.removal), expected)
}

function encodeRemoval({ cause, path = '' }: Removal): Buffer {
  return Buffer.concat([Buffer.from([REMOVAL_CAUSES.indexOf(cause)]), Buffer.from(path)])
}

function decodeRemoval(bytes: Buffer): Removal {
  const path = bytes.length > 1 ? bytes.toString('utf8', 1) : undefined
  return { cause: REMOVAL_CAUSES[bytes[0] ?? 0] ?? 'deleted', path }
}

function entryIn({ bytes, valueStart, end }: RecordView): Entry {
  return decodeEntry(bytes, valueStart, end)
}

function listed(found: RecordView): ListedEntry {
  const versionEnd = keyStart(found.key)
  return {
    version: found.key.toString('utf8', 1, versionEnd),
    key: found.key.toString('utf8', versionEnd),
    entry: entryIn(found),
    check: found.check,
  }
}
