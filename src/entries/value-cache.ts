// Values that were read lately, so that reading one again takes no look into the files' contents: only whether
// its record is still the same, which is known of its bucket, and whether it is still valid, which is asked anew each time.
//
// A run that reads each key once must not pay for this: a value is kept when it is read for the second time.

import { memoryOf, StoredValue } from '../encoding/stored-value.js'
import type { BucketState } from '../log-map/log-map.js'
import type { RecordView } from '../log-map/record.js'
import { decodeHead, type Entry, type Head } from '../manifest/entry.js'
import type { EntryKey } from '../manifest/manifest.js'

export class CachedValue {
  readonly key: EntryKey
  /** The manifest's around the key when this was read. */
  readonly state: BucketState
  readonly head: Head
  readonly entry: Entry
  /** The check of the entry's record. */
  readonly check: number
  readonly value: StoredValue
  /** What all of it takes in memory, about. */
  readonly sizeBytes: number

  /** Copies what was read: that is views of buffers that are much larger, or used again. */
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

/** Kept for one handle of a namespace, at most, */
const MAX_BYTES = 16 * 1024 * 1024
/** of which one value may take this share. */
const MAX_SHARE = 1 / 16
/**
 * Once that is full, one in so many new ones takes the place of the oldest. A run through more keys than there is room for,
 * time and again, would else replace each before it comes again.
 */
const ADMITTED = 16
const MAX_SEEN = 65_536
/** What an entry takes in memory besides its value, about. */
const ENTRY_BYTES = 400

export class ValueCache {
  readonly #byKey = new Map<string, CachedValue>()
  /** Keys that were read once. */
  readonly #seen = new Set<string>()
  #bytes = 0
  #refusedCount = 0

  get(key: string): CachedValue | undefined {
    return this.#byKey.get(key)
  }

  /** Keeps what was read of the key if it has been read before. */
  offer(text: string, key: EntryKey, state: BucketState, record: RecordView, bytes: Buffer): void {
    if (!this.#seen.has(text)) {
      if (this.#seen.size >= MAX_SEEN) this.#seen.clear()
      this.#seen.add(text)
      return
    }
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
