// Keeps recently read values in memory. Reading one again only checks that its bucket hasn't grown, so that its record is still
// the same, and that it is still valid.

import type { MissReason } from '../api/index.js'
import { memoryOf, StoredValue } from '../encoding/stored-value.js'
import type { Asker } from '../inputs/snapshot.js'
import type { Validity } from '../inputs/validity.js'
import type { BucketState } from '../log-map/log-map.js'
import type { RecordView } from '../log-map/record.js'
import type { Entry, Head } from '../manifest/entry.js'
import { decodeHead } from '../manifest/head.js'
import type { Manifest } from '../manifest/manifest.js'
import type { EntryKey } from '../manifest/records.js'
import { missing, type Outcome } from './outcome.js'

/** What a look asks of the `Entries` whose values these are. */
interface Lookups {
  readonly store: { readonly manifest: Pick<Manifest, 'isUnchanged'> }
  asker(): Asker
  validate(entry: Entry, asker: Asker): Validity
  validateAge(entry: Entry): Validity
  noteUse(key: EntryKey, head: Head, check: number): void
  unread(error: unknown): MissReason
}

export class CachedValue {
  readonly key: EntryKey
  /** The state of the key's bucket when this was read. */
  readonly state: BucketState
  readonly head: Head
  readonly entry: Entry
  /** The check of the entry's record. */
  readonly check: number
  readonly value: StoredValue
  /** About how much memory the value and its record take. */
  readonly sizeBytes: number

  /** Copies a record and its value, which are views of larger or reused buffers. */
  constructor(key: EntryKey, state: BucketState, record: RecordView, bytes: Buffer, sizeBytes: number) {
    this.key = key
    this.state = state
    this.head = decodeHead(Buffer.from(record.value))
    this.entry = this.head.entry as Entry
    this.check = record.check
    this.value = new StoredValue(Buffer.from(bytes))
    this.sizeBytes = sizeBytes
  }
}

/** How much memory the values of one handle may take, */
const MAX_BYTES = 16 * 1024 * 1024
/** and which share of it one value may take. */
const MAX_SHARE = 1 / 16
/**
 * When the cache is full, only one of this many new values replaces the oldest. Otherwise repeated runs over more keys than fit
 * would evict each value before it is read again.
 */
const ADMITTED = 16
/** About how much memory an entry takes besides its value. */
const ENTRY_BYTES = 400

export function createValueCache(): ValueCache {
  return new ValueCache()
}

export class ValueCache {
  readonly #byKey = new Map<string, CachedValue>()
  #bytes = 0
  #refusedCount = 0

  get(key: string): CachedValue | undefined {
    return this.#byKey.get(key)
  }

  /** Returns the key's value from memory, if it is still valid. */
  look(entries: Lookups, text: string): Outcome | undefined {
    const cached = this.get(text)
    if (!cached) return undefined
    try {
      const { key, state, head, entry, check, value } = cached
      if (!entries.store.manifest.isUnchanged(key, state)) {
        this.forget(text)
        return undefined
      }
      const validity = entry.inputs ? entries.validate(entry, entries.asker()) : entries.validateAge(entry)
      if (validity.reason !== undefined) return undefined
      const decoded = value.get()
      entries.noteUse(key, head, check)
      return { value: decoded, entry }
    } catch (error) {
      return missing(entries.unread(error))
    }
  }

  /** Keeps the value of the key, if there is room for it. */
  keep(text: string, key: EntryKey, state: BucketState, record: RecordView, bytes: Buffer): void {
    this.forget(text)
    const sizeBytes = memoryOf(bytes) + ENTRY_BYTES
    if (sizeBytes > MAX_BYTES * MAX_SHARE) return
    if (this.#bytes + sizeBytes > MAX_BYTES && ++this.#refusedCount % ADMITTED !== 0) return
    this.#byKey.set(text, new CachedValue(key, state, record, bytes, sizeBytes))
    this.#bytes += sizeBytes
    for (const oldest of this.#byKey.keys()) {
      if (this.#bytes <= MAX_BYTES) return
      this.forget(oldest)
    }
  }

  forget(key: string): void {
    const cached = this.#byKey.get(key)
    if (!cached) return
    this.#bytes -= cached.sizeBytes
    this.#byKey.delete(key)
  }
}
