// Finds an answer for the current state of the inputs when the current entry of the key doesn't match the question.

import type { MissReason } from '../api/index.js'
import type { Asker, Snapshot } from '../inputs/snapshot.js'
import type { Validity } from '../inputs/validity.js'
import type { Entry, Head } from '../manifest/entry.js'
import type { EntryKey, Lookup } from '../manifest/records.js'
import { findAnswer, makeCurrent } from './answers.js'
import type { Outcome, Question } from './outcome.js'
import type { NamespaceStore } from './store.js'

/** The part of `Entries` that is used here. */
interface EntryReader {
  readonly store: NamespaceStore
  asker(): Asker
  validate(entry: Entry, asker: Asker, ttlMs?: number, snapshot?: Snapshot): Validity
  decode(bytes: Uint8Array): unknown
  isAsExpected(value: unknown): boolean
  write(work: () => void): boolean
  noteUse(key: EntryKey, head: Head, check: number): void
}

/** `reason`: why the current entry doesn't answer the question. */
export function answerInstead(
  entries: EntryReader,
  key: EntryKey,
  current: Lookup,
  question: Question | undefined,
  reason: MissReason,
  looked: Snapshot | undefined,
  validity?: Validity,
): Outcome {
  const { store } = entries
  const asker = question?.asker ?? entries.asker()
  const snapshot = looked ?? store.snapshot()
  const { epoch = 0, entry: before } = current.head ?? {}
  const digest = question ? question.digest : before?.question
  const miss = { reason, found: current, validity, snapshot }
  const found = findAnswer(store, key, epoch, digest, asker, snapshot)
  if (!found || entries.validate(found.entry, asker, question?.ttlMs, snapshot).reason !== undefined) return miss
  const { entry } = found
  const bytes = store.blobs.get(entry.blob)
  if (!bytes) return miss
  const value = entries.decode(bytes)
  if (!entries.isAsExpected(value)) return miss
  // The current entry of another checkout stays. Otherwise checkouts that are used in turns would keep replacing each other's
  // entry.
  if (before?.seenIn === undefined || before.seenIn === asker.dir) {
    const now = { ...entry, seenIn: before?.seenIn ?? entry.seenIn }
    entries.write(() => makeFoundCurrent(store, key, current, now, bytes))
  } else {
    entries.noteUse(found.key, { epoch, entry }, found.check)
  }
  return { value, entry }
}

/** The value is stored as by a set, because a gc may be about to remove it. */
function makeFoundCurrent(store: NamespaceStore, key: EntryKey, current: Lookup, entry: Entry, bytes: Buffer): void {
  const stored = store.blobs.putOne(Buffer.from(bytes))
  const blob = stored.refs[0] ?? entry.blob
  makeCurrent(store, key, current, { ...entry, blob, usedAt: store.now() })
  store.blobs.confirm(stored)
  store.indexSoon()
}
