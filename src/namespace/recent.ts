// Values that were read lately, so that reading one again takes no look into the files' contents: only whether
// its record is still the same, which is known of its bucket, and whether it is still valid, which is asked anew each time.
//
// A run that reads each key once must not pay for this: a value is kept when it is read for the second time.

import { StoredValue } from '../encoding/stored-value.js'
import type { BucketState } from '../log-map/log-map.js'
import type { RecordView } from '../log-map/record.js'
import { decodeEntry, type Entry } from '../manifest/entry.js'
import type { EntryKey } from '../manifest/manifest.js'

export class Recent {
  readonly key: EntryKey
  /** The manifest's around the key when this was read. */
  readonly state: BucketState
  readonly entry: Entry
  /** The check of the entry's record. */
  readonly check: number
  readonly value: StoredValue

  /** Copies what was read: that is views of buffers that are much larger, or used again. */
  constructor(key: EntryKey, state: BucketState, record: RecordView, bytes: Buffer) {
    this.key = key
    this.state = state
    this.entry = decodeEntry(Buffer.from(record.value))
    this.check = record.check
    this.value = new StoredValue(Buffer.from(bytes))
  }
}

/** Kept for one handle of a namespace, at most. */
const MAX_BYTES = 8 * 1024 * 1024
const MAX_SEEN = 65_536
/** What an entry takes in memory besides its value, about. */
const ENTRY_BYTES = 400

export class RecentValues {
  readonly #byKey = new Map<string, Recent>()
  /** Keys that were read once. */
  readonly #seen = new Set<string>()
  #bytes = 0

  get(key: string): Recent | undefined {
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
    if (bytes.length > MAX_BYTES / 8) return
    const recent = new Recent(key, state, record, bytes)
    this.#byKey.set(text, recent)
    this.#bytes += recent.value.sizeBytes + ENTRY_BYTES
    for (const oldest of this.#byKey.keys()) {
      if (this.#bytes <= MAX_BYTES) return
      this.forget(oldest)
    }
  }

  forget(key: string): void {
    const recent = this.#byKey.get(key)
    if (!recent) return
    this.#bytes -= recent.value.sizeBytes + ENTRY_BYTES
    this.#byKey.delete(key)
  }
}
