// Counts of one namespace over all its processes: a log map in which each process puts what it counted under a key of its own,
// without looking at what is there. The totals are the sum of all records; when the file is full, its successor holds a sum for
// each of the latest days (`totals`). A sealed file never changes and has one successor, so no count is lost, and none counts
// twice. A killed process loses what it had not written yet.

import type { Environment } from '../log/environment.js'
import { viewOf } from '../log/frames.js'
import { LogMap } from '../log-map/log-map.js'
import type { RecordView } from '../log-map/record.js'
import type { CounterName, Counts, TimeName } from './names.js'
import { countersPosition, KEY_BYTES, recordOf } from './record.js'
import { addedUp, sumOf } from './totals.js'

/** Counts are written on exit and each time this many have gathered. */
const FLUSH_COUNT = 1024
/** Some 250 processes, or fewer beside the sums of a month; the file is read whole for the totals. */
const BUCKET_BYTES = 16 * 1024

export class Counters {
  readonly #environment: Environment
  readonly #map: LogMap
  readonly #pending = new Map<CounterName, number>()
  readonly #written = new Map<CounterName, number>()
  #pendingCount = 0
  #dueCount = FLUSH_COUNT
  readonly #hasGathered: (count: number) => void

  /** `identity` is the counters' place below the root; `hasGathered` is called now and then while there is something to flush. */
  constructor(
    environment: Environment,
    path: string,
    identity: string,
    hasGathered: (count: number) => void = () => undefined,
  ) {
    this.#environment = environment
    this.#hasGathered = hasGathered
    this.#map = new LogMap(environment, path, identity, countersPosition, BUCKET_BYTES, true, addedUp)
  }

  /** Whether enough has gathered since the last `flush`, successful or not. */
  get isDue(): boolean {
    return this.#pendingCount >= this.#dueCount
  }

  /** How many counts `flush` would write. */
  get pendingCount(): number {
    return this.#pendingCount
  }

  count(name: CounterName, by = 1, weight = by): void {
    this.#pending.set(name, (this.#pending.get(name) ?? 0) + by)
    this.#pendingCount += weight
    this.#hasGathered(this.#pendingCount)
  }

  /** At most 12 days: no computation takes longer, whatever an entry says. */
  countTime(name: TimeName, ms: number): void {
    if (ms > 0) this.count(name, Math.round(Math.min(ms, 2 ** 30) * 1000), 1)
  }

  /** What this one has counted, by name; a name may come twice. */
  own(): [CounterName, number][] {
    return [...this.#written, ...this.#pending]
  }

  /** Totals of all processes, with what this one has not written yet. */
  totals(): Counts {
    return sumOf(this.#map.records(), this.#pending)
  }

  /** What was written. */
  records(): Iterable<RecordView> {
    return this.#map.records()
  }

  /** Whether nothing was ever counted, or not since `clear`. */
  get isEmpty(): boolean {
    return this.#pendingCount === 0 && this.#map.isEmpty
  }

  /** Forgets the totals, and what this process has not written yet. */
  clear(): void {
    this.#reset()
    this.#map.clear()
  }

  /** Removes its file if there is nothing in it, see `LogMap`. */
  removeIfEmpty(): boolean {
    return this.#map.removeIfEmpty()
  }

  /** Removes what dead processes left of their work. */
  removeLeftovers(): void {
    this.#map.removeLeftovers()
  }

  /** Writes what was gathered. @throws errno-style errors; nothing is lost then */
  flush(): void {
    if (this.#pendingCount === 0) return
    // Where nothing can be written, it is not tried again for each count.
    this.#dueCount = this.#pendingCount + FLUSH_COUNT
    // Like no other's: two processes that see the file end at the same place draw different numbers.
    const key = Buffer.allocUnsafe(KEY_BYTES)
    const view = viewOf(key)
    view.setUint32(0, Math.floor(this.#environment.random() * 2 ** 32), true)
    view.setUint32(4, this.#map.endAt(0), true)
    // A time before 1970 becomes a day that no date has.
    this.#pending.set('day', (this.#environment.files.now() / 864e5) >>> 0)
    const change = recordOf(key, this.#pending)
    if (!this.#map.append(change)) this.#map.offer([change])
    this.#reset()
  }

  close(): void {
    this.#map.close()
  }

  #reset(): void {
    for (const [name, count] of this.#pending) this.#written.set(name, (this.#written.get(name) ?? 0) + count)
    this.#pending.clear()
    this.#pendingCount = 0
    this.#dueCount = FLUSH_COUNT
  }
}
