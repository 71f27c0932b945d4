// The index of one namespace: a log map of its own from keys to heads, answers and nodes, so that no namespace can see or
// break another one's. A removed key keeps a record that says why until its bucket is rewritten.
//
// `hash` covers the key alone, without its version and project, so that all records of a key lie in one bucket.

import type { Environment } from '../log/environment.js'
import { type BucketState, LogMap } from '../log-map/log-map.js'
import type { Change } from '../log-map/record.js'
import { answerBytes } from './answer-key.js'
import { type LookedAnswer, lookAnswer } from './answer-lookup.js'
import { putOf, toChange } from './changes.js'
import type { Entry, Head } from './entry.js'
import { keyBytes } from './key.js'
import { type KeyParts, parseKey } from './key-parts.js'
import { clearAll, clearSome, entriesIn, type ListedPart, lookEverywhere, partsOf, storedPartAt } from './listing.js'
import {
  type EntryChange,
  type EntryKey,
  entryPosition,
  headIn,
  type ListedEntry,
  type Lookup,
  type StoredPart,
} from './records.js'

const MAX_AMENDMENTS = 1024
type EntriesHow = Parameters<typeof entriesIn> extends [unknown, ...infer How] ? How : never

export class Manifest {
  readonly #map: LogMap
  /** By key. */
  readonly #amendments = new Map<string, Change>()
  readonly #environment: Environment

  /** `identity` is the namespace's path below the root. */
  constructor(environment: Environment, path: string, identity: string) {
    this.#environment = environment
    this.#map = new LogMap(environment, path, identity, bytes => entryPosition(environment, bytes))
  }

  /**
   * `prefix` as `encodePrefix` gives it.
   *
   * @throws CacheError `ERR_CACHE_KEY`
   */
  keyOf(prefix: Buffer, key: unknown): EntryKey {
    return this.#at(keyBytes(prefix, key))
  }

  /** Where an answer or a node of this key is kept. */
  answerKeyOf(key: EntryKey, digest: Buffer): EntryKey {
    return this.#at(answerBytes(key.bytes, digest))
  }

  /** The key of a listed record. */
  keyAt(bytes: Buffer): EntryKey {
    return this.#at(Buffer.from(bytes))
  }

  /** What the key is made of. */
  partsOf({ bytes }: EntryKey): KeyParts {
    return parseKey(bytes)
  }

  #at(bytes: Buffer): EntryKey {
    const { hash, tag } = entryPosition(this.#environment, bytes)
    return { hash, tag, bytes }
  }

  /** The state of the key's bucket, for `isUnchanged`. @throws errno-style errors */
  stateAt(key: EntryKey): BucketState | undefined {
    return this.#map.stateAt(key, key.bytes)
  }

  /** Whether the key's record is certainly the same as when this was the state. @throws errno-style errors */
  isUnchanged(key: EntryKey, state: BucketState): boolean {
    return this.#map.isUnchanged(key, key.bytes, state)
  }

  /** @throws errno-style errors; RangeError for a record that is no head */
  look(key: EntryKey): Lookup {
    const found = this.#map.get(key, key.bytes)
    if (!found) return { head: undefined, entry: undefined, removal: undefined, check: 0, record: undefined }
    const head = headIn(found)
    if (!found.isPut) return { head: undefined, entry: undefined, removal: head.removal, check: 0, record: undefined }
    return { head, entry: head.entry, removal: head.removal, check: found.check, record: found }
  }

  /** The node under an answer's key, or the answer. @throws like `look` */
  lookAnswer(key: EntryKey): LookedAnswer | undefined {
    return lookAnswer(this.#map, key)
  }

  /** Returns the key's entries of all versions and projects, without answers. */
  lookEverywhere(key: EntryKey): ListedEntry[] {
    return lookEverywhere(this.#map, key)
  }

  /** @throws errno-style errors; CacheError `ERR_CACHE_IO`; some of the changes may have been made */
  write(changes: readonly EntryChange[]): readonly boolean[] {
    return this.#map.write(changes.map(change => toChange(change)))
  }

  /** Writes the entry of one key. @throws like `write` */
  put(key: EntryKey, entry: Entry): void {
    this.#map.write([putOf(key, entry)])
  }

  /** Makes the change only if the key's record still has this checksum. Returns whether it was made. */
  swap(change: EntryChange, expected: number): boolean {
    return this.write([{ ...change, expected }])[0] as boolean
  }

  /**
   * Queues an amendment, unless one of the same record is queued already. `flush` writes them. A killed process loses its
   * queue.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  amendLater(key: EntryKey, head: Head, check: number): void {
    const name = key.bytes.toString('latin1')
    if (this.#amendments.get(name)?.expected === check) return
    this.#amendments.set(name, toChange({ key, head, expected: check }))
    if (this.#amendments.size >= MAX_AMENDMENTS) this.flush()
  }

  /** Writes the amendments noted so far, each unless its key was set again meanwhile. @throws like `write` */
  flush(): void {
    if (this.#amendments.size === 0) return
    const changes = [...this.#amendments.values()]
    // The amendments are not worth a second attempt.
    this.#amendments.clear()
    this.#map.offer(changes)
  }

  /** Whether there are no entries. @throws errno-style errors */
  get isEmpty(): boolean {
    return this.#map.isEmpty
  }

  /** Removes all records; returns how many entries there were. */
  clear(): number {
    return clearAll(this.#map)
  }

  /** Removes the records whose keys are chosen; returns how many entries were among them. */
  clearSome(isChosen: (parts: KeyParts) => boolean): number {
    return clearSome(this.#map, isChosen)
  }

  /** Rewrites the bucket at this hash if enough of it is dead. */
  compactAt(hash: number): void {
    this.#map.compactAt(hash)
  }

  /** Removes the map's files if it is empty; see `LogMap`. */
  removeIfEmpty(): boolean {
    return this.#map.removeIfEmpty()
  }

  /** Removes unfinished files of processes that died. */
  removeLeftovers(): void {
    this.#map.removeLeftovers()
  }

  /**
   * Reads the bucket of this hash: its entries and answers, its other records, how many are unreadable, and the bucket's share
   * of all hashes. To read all buckets, start at hash 0 and continue at `next`. @throws errno-style errors
   */
  partAt(hash: number, nowMs = 0): StoredPart {
    return storedPartAt(this.#map, hash, nowMs)
  }

  /** All entries, answers included, see `entriesIn`. */
  entries(...how: EntriesHow): IterableIterator<ListedEntry> {
    return entriesIn(this.#map, ...how)
  }

  /** Yields all entries bucket by bucket; see `LogMap.parts`. */
  parts(unreadable?: (error: unknown) => void): IterableIterator<ListedPart> {
    return partsOf(this.#map, unreadable)
  }

  close(): void {
    this.#amendments.clear()
    this.#map.close()
  }
}
