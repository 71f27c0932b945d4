// The index of one namespace: a log map of its own from keys to heads, answers and nodes, so that no namespace can see or
// break another one's. A removed key keeps a record that says why until its bucket is rewritten.
//
// The hashes are of the key alone, without its version and project, so that all records of a key lie in one bucket.

import type { Hashing } from '../hashing/hashing.js'
import type { Environment } from '../log/environment.js'
import { type BucketState, LogMap } from '../log-map/log-map.js'
import { type Change, changeOf, hashedPosition, type Position, type RecordView } from '../log-map/record.js'
import {
  decodeHead,
  decodeNode,
  type Entry,
  encodeHead,
  encodeNode,
  type Head,
  type Node,
  type Removal,
} from './entry.js'
import { answerBytes, headBytes, type KeyParts, keyBytes, keyStart, parseKey } from './key.js'

/** A key as the manifest looks it up. */
export interface EntryKey extends Position {
  bytes: Buffer
}

/** What there is under a key. `check` is of the record, and 0 where there is none or a removal. */
export interface Lookup {
  head: Head | undefined
  entry: Entry | undefined
  removal: Removal | undefined
  check: number
  record: RecordView | undefined
}

export interface ListedEntry extends KeyParts {
  /** Of the record's key; a view. */
  keyBytes: Buffer
  entry: Entry
  check: number
}

/** Takes the entry away; what its answers need of the head stays. */
export function dropOf({ key, head, hasAnswers, check }: StoredEntry, removal: Removal): EntryChange {
  const change = hasAnswers ? { head: { epoch: head.epoch, removal } } : { removal }
  return { key, ...change, expected: check }
}

export type EntryChange = { key: EntryKey } & (
  | { head: Head }
  | { answer: Entry }
  | { node: Node; epoch: number }
  | { removal: Removal }
) & { expected?: number | undefined }

/** An entry as it lies in its bucket; the buffers are views that the next call on the manifest may overwrite. */
export interface StoredEntry {
  key: EntryKey
  parts: KeyParts
  head: Head
  entry: Entry
  check: number
  /** What its frame takes in the file. */
  frameBytes: number
  /** Whether answers or nodes of the head are there, which are void without it. */
  hasAnswers: boolean
}

/** A record that holds no entry: a node, a lease, or what is left of a head. */
export interface StoredRest {
  key: EntryKey
  check: number
  frameBytes: number
  /** Whether it serves an entry, or a computation that may still be running. */
  isOfUse: boolean
}

export interface StoredPart {
  entries: StoredEntry[]
  rest: StoredRest[]
  unreadableCount: number
  next: number
  share: number
}

const MAX_AMENDMENTS = 1024
/** No computation is waited for that long. */
const LEASE_MS = 3_600_000

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

  /** @throws errno-style errors; RangeError for a record that is no head */
  look(key: EntryKey): Lookup {
    const found = this.#map.get(key, key.bytes)
    if (!found) return { head: undefined, entry: undefined, removal: undefined, check: 0, record: undefined }
    const head = headIn(found)
    if (!found.isPut) return { head: undefined, entry: undefined, removal: head.removal, check: 0, record: undefined }
    return { head, entry: head.entry, removal: head.removal, check: found.check, record: found }
  }

  /** The node under an answer's key, or the answer. @throws like `look` */
  lookAnswer(key: EntryKey): { node?: Node | undefined; entry?: Entry | undefined; check: number } | undefined {
    const found = this.#map.get(key, key.bytes)
    if (!found?.isPut) return undefined
    const node = decodeNode(found.bytes, found.valueStart, found.end)
    return { node, entry: node ? undefined : headIn(found).entry, check: found.check }
  }

  /** The key's entries under all versions and in all projects, without answers. */
  lookEverywhere(key: EntryKey): ListedEntry[] {
    const text = key.bytes.subarray(keyStart(key.bytes))
    return this.#map.getAll(key).flatMap(found => {
      if (!found.isPut || !found.key.subarray(keyStart(found.key)).equals(text)) return []
      return listed(found).filter(({ isAnswer }) => !isAnswer)
    })
  }

  /** @throws errno-style errors; CacheError `ERR_CACHE_IO`; some of the changes may have been made */
  write(changes: readonly EntryChange[]): boolean[] {
    return this.#map.write(changes.map(toChange))
  }

  /** The same for the entry of one key. */
  put(key: EntryKey, entry: Entry): void {
    this.#map.write([changeOf('put', key, key.bytes, encodeHead({ epoch: entry.epoch, entry }))])
  }

  /** Makes the change only while the key's record is the one with this check; returns whether it did. */
  swap(change: EntryChange, expected: number): boolean {
    return this.write([{ ...change, expected }])[0] as boolean
  }

  /**
   * Notes an amendment that can wait, the first one to a record with this check; of a process that is killed it is lost. Many
   * are written at once, by `flush`.
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
    // They are not worth a second attempt.
    this.#amendments.clear()
    this.#map.write(changes)
  }

  /** Whether there are no entries. @throws errno-style errors */
  get isEmpty(): boolean {
    return this.#map.isEmpty
  }

  /** Removes all records; returns how many entries there were. */
  clear(): number {
    let count = 0
    for (const { isAnswer } of this.entries()) if (!isAnswer) count++
    this.#map.clear()
    return count
  }

  /** Removes the records whose keys are chosen; returns how many entries were among them. */
  clearSome(isChosen: (parts: KeyParts) => boolean): number {
    let count = 0
    for (let place = 0; place <= 0xffffffff; ) {
      const { part, next } = this.#map.partAt(place)
      const chosen = (part?.records() ?? []).flatMap(found => {
        const parts = parseKey(found.key)
        if (!isChosen(parts)) return []
        if (!parts.isAnswer && tryHeadIn(found)?.entry) count++
        const key = { place: found.place, slot: found.slot, bytes: Buffer.from(found.key) }
        return toChange({ key, removal: { cause: 'deleted' } })
      })
      if (chosen.length > 0) this.#map.write(chosen)
      place = next
    }
    return count
  }

  /** Rewrites the bucket at this place if enough of it is dead. */
  compactAt(place: number): void {
    this.#map.compactAt(place)
  }

  /** Removes its file if there is nothing in it, see `LogMap`. */
  removeIfEmpty(): boolean {
    return this.#map.removeIfEmpty()
  }

  /** Removes what dead processes left of their work. */
  removeLeftovers(): void {
    this.#map.removeLeftovers()
  }

  /**
   * The entries of the bucket at this place, with their answers, and what else there is; how many of its records can't be made
   * out, and the share of all places that it has. From place 0 on, part by part, they are all. @throws errno-style errors
   */
  partAt(place: number, nowMs = 0): StoredPart {
    const { part, next } = this.#map.partAt(place)
    const entries: StoredEntry[] = []
    const rest: StoredRest[] = []
    const records = part?.records() ?? []
    const epochs = new Map<string, number>()
    const withAnswers = new Set<string>()
    const heads = new Map<RecordView, Head>()
    for (const found of records) {
      const { isAnswer } = parseKey(found.key)
      const head = tryHeadIn(found)
      if (!head) continue
      heads.set(found, head)
      if (isAnswer) withAnswers.add(headBytes(found.key).toString('latin1'))
      else epochs.set(found.key.toString('latin1'), head.epoch)
    }
    for (const [found, head] of heads) {
      const key = { place: found.place, slot: found.slot, bytes: found.key }
      const parts = parseKey(found.key)
      const { check, frameBytes } = found
      // Answers of an epoch that is over can't be found any more.
      const isVoid = parts.isAnswer && epochs.get(headBytes(found.key).toString('latin1')) !== head.epoch
      const hasAnswers = !parts.isAnswer && withAnswers.has(found.key.toString('latin1'))
      if (head.entry && !isVoid) entries.push({ key, parts, head, entry: head.entry, check, frameBytes, hasAnswers })
      else {
        const isHeld = head.lease !== undefined && Math.abs(nowMs - head.lease.beatAt) < LEASE_MS
        rest.push({ key, check, frameBytes, isOfUse: !isVoid && (parts.isAnswer || isHeld || hasAnswers) })
      }
    }
    const unreadableCount = records.length - heads.size
    return { entries, rest, unreadableCount, next, share: 16 ** -(part?.prefix.length ?? 0) }
  }

  /** All entries, answers included. `unreadable` is called for each record that can't be made out. */
  *entries(unreadable: (error: unknown) => void = () => undefined): IterableIterator<ListedEntry> {
    for (const found of this.#map.records()) yield* listed(found, unreadable)
  }

  /** The same in parts; see `LogMap.parts`. */
  *parts(
    unreadable: (error: unknown) => void = () => undefined,
  ): IterableIterator<{ prefix: string; stamp: string; entries(): ListedEntry[] }> {
    for (const { prefix, stamp, records } of this.#map.parts()) {
      yield { prefix, stamp, entries: () => records().flatMap(found => listed(found, unreadable)) }
    }
  }

  close(): void {
    this.#amendments.clear()
    this.#map.close()
  }
}

/** By the key without its version and project. */
export function entryPosition(hashing: Hashing, bytes: Buffer): Position {
  return hashedPosition(hashing, bytes, keyStart(bytes))
}

function toChange(change: EntryChange): Change {
  const { key, expected } = change
  if ('removal' in change) {
    return changeOf('remove', key, key.bytes, encodeHead({ epoch: 0, removal: change.removal }), expected)
  }
  const value =
    'head' in change
      ? encodeHead(change.head)
      : 'answer' in change
        ? encodeHead({ epoch: change.answer.epoch, entry: change.answer })
        : encodeNode(change.node, change.epoch)
  return changeOf('put', key, key.bytes, value, expected)
}

function headIn({ bytes, valueStart, end }: RecordView): Head {
  return decodeHead(bytes, valueStart, end)
}

/** One record that says nothing must not keep the others from being looked at. */
function tryHeadIn(found: RecordView, unreadable: (error: unknown) => void = () => undefined): Head | undefined {
  try {
    return headIn(found)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    unreadable(error)
    return undefined
  }
}

/** The entry that the record holds, if it holds one. */
function listed(found: RecordView, unreadable?: (error: unknown) => void): ListedEntry[] {
  const entry = tryHeadIn(found, unreadable)?.entry
  return entry ? [{ ...parseKey(found.key), keyBytes: found.key, entry, check: found.check }] : []
}

/** A number of 48 bits that no one has drawn before. */
export function drawEpoch(random: () => number): number {
  return Math.floor(random() * 2 ** 48)
}
