// Lists the records of a manifest.

import type { LogMap } from '../log-map/log-map.js'
import { HASH_COUNT, hashAfter, shareOf } from '../log-map/prefixes.js'
import type { RecordView } from '../log-map/record.js'
import type { Damaged } from '../log-map/table.js'
import { headBytes } from './answer-key.js'
import { toChange } from './changes.js'
import type { Head } from './entry.js'
import { keyStart } from './key.js'
import { type KeyParts, parseKey } from './key-parts.js'
import {
  type EntryKey,
  headIn,
  type ListedEntry,
  type StoredEntry,
  type StoredPart,
  type StoredRest,
} from './records.js'

/** Older leases are ignored. */
const LEASE_MS = 3_600_000

/** See `LogMap.parts`. */
export interface ListedPart {
  prefix: string
  stamp: string
  entries(): ListedEntry[]
  /** The keys of entries that were removed with a reason since the part had this stamp; see `Part.changedSince`. */
  removedSince(stamp: string): Buffer[]
}

/** The key's entries under all versions and in all projects, without answers. */
export function lookEverywhere(map: LogMap, key: EntryKey): ListedEntry[] {
  const text = key.bytes.subarray(keyStart(key.bytes))
  return map.getAll(key, key.bytes).flatMap(found => {
    if (!found.key.subarray(keyStart(found.key)).equals(text)) return []
    return listed(found).filter(({ isAnswer }) => !isAnswer)
  })
}

/** Removes all records. Returns how many entries there were. */
export function clearAll(map: LogMap): number {
  let count = 0
  for (const { isAnswer } of entriesIn(map)) if (!isAnswer) count++
  map.clear()
  return count
}

/** Removes the records whose keys are chosen; returns how many entries were among them. */
export function clearSome(map: LogMap, isChosen: (parts: KeyParts) => boolean): number {
  let count = 0
  for (let hash = 0; hash <= 0xffffffff; ) {
    const { part, next } = map.partAt(hash)
    const chosen = (part?.records() ?? []).flatMap(found => {
      const parts = parseKey(found.key)
      if (!isChosen(parts)) return []
      if (!parts.isAnswer && tryHeadIn(found)?.entry) count++
      const key = { hash: found.hash, tag: found.tag, bytes: Buffer.from(found.key) }
      return toChange({ key, removal: { cause: 'deleted' } })
    })
    if (chosen.length > 0) map.write(chosen)
    hash = next
  }
  return count
}

/**
 * Reads the bucket of this hash: its entries and answers, its other records, how many are unreadable, and the bucket's share of
 * all hashes. To read all buckets, start at hash 0 and continue at `next`. @throws errno-style errors
 */
export function storedPartAt(map: LogMap, hash: number, nowMs: number): StoredPart {
  const { part, next } = map.partAt(hash)
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
    const key = { hash: found.hash, tag: found.tag, bytes: found.key }
    const parts = parseKey(found.key)
    const { check, frameBytes } = found
    // Answers of an earlier epoch can't be found any more.
    const isVoid = parts.isAnswer && epochs.get(headBytes(found.key).toString('latin1')) !== head.epoch
    const hasAnswers = !parts.isAnswer && withAnswers.has(found.key.toString('latin1'))
    if (head.entry && !isVoid) entries.push({ key, parts, head, entry: head.entry, check, frameBytes, hasAnswers })
    else {
      const isHeld = head.lease !== undefined && Math.abs(nowMs - head.lease.beatAt) < LEASE_MS
      rest.push({ key, check, frameBytes, isOfUse: !isVoid && (parts.isAnswer || isHeld || hasAnswers) })
    }
  }
  const unreadableCount = records.length - heads.size
  return { entries, rest, unreadableCount, next, share: shareOf(part?.prefix ?? '') }
}

/**
 * All entries, answers included. `unreadable` is called for each record that can't be made out, `progress` now and then with the
 * share of all hashes that was read, `damage` with what of a part can't be read at all.
 */
export function* entriesIn(
  map: LogMap,
  unreadable?: (error: unknown) => void,
  progress?: (share: number) => void,
  damage?: (damaged: Damaged) => void,
): IterableIterator<ListedEntry> {
  for (const { prefix, records, damaged } of map.parts()) {
    damage?.(damaged())
    for (const found of records()) yield* listed(found, unreadable)
    progress?.(hashAfter(prefix) / HASH_COUNT)
  }
}

/** Yields all entries bucket by bucket; see `LogMap.parts`. */
export function* partsOf(map: LogMap, unreadable?: (error: unknown) => void): IterableIterator<ListedPart> {
  for (const { prefix, stamp, records, changedSince } of map.parts()) {
    yield {
      prefix,
      stamp,
      entries: () => records().flatMap(found => listed(found, unreadable)),
      removedSince: before =>
        changedSince(before)
          .filter(isRemoval)
          .map(({ key }) => key),
    }
  }
}

/** The removal of a computed entry is in the head that stays, that of a set one is a record of its own. */
function isRemoval(found: RecordView): boolean {
  if (parseKey(found.key).isAnswer) return false
  if (!found.isPut) return found.value.length > 0
  const head = tryHeadIn(found)
  return head?.removal !== undefined && head.entry === undefined
}

/** An unreadable record must not hide the others. */
function tryHeadIn(found: RecordView, unreadable: (error: unknown) => void = () => undefined): Head | undefined {
  try {
    return headIn(found)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    unreadable(error)
    return undefined
  }
}

/** The entry in the record, if there is one. */
function listed(found: RecordView, unreadable?: (error: unknown) => void): ListedEntry[] {
  const entry = tryHeadIn(found, unreadable)?.entry
  if (!entry) return []
  const keyBytes = found.key
  // Spreading it takes ten times as long, which counts where a million entries are listed.
  const { version, scope, kind, project, isAnswer, key } = parseKey(keyBytes)
  return [{ version, scope, kind, project, isAnswer, key, keyBytes, entry, check: found.check }]
}
