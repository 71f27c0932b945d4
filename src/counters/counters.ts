// Counts hits, misses and sets of one namespace over all its processes. Each process adds records to a log map, under keys of
// its own. The totals are the sum of all records. When the file is full, its successor holds one sum for each of the latest
// days (`totals`). A sealed file never changes and has one successor, so no count is lost and none counts twice. A killed
// process loses the counts that it had not written yet.

import type { Environment } from '../log/environment.js'
import { viewOf } from '../log/frames.js'
import { LogMap } from '../log-map/log-map.js'
import type { RecordView } from '../log-map/record.js'
import type { CounterName, Counts, TimeName } from './names.js'
import { countersPosition, KEY_BYTES, recordOf } from './record.js'
import { addedUp, sumOf, sumsByProject } from './totals.js'

/** Counts are written at exit, and each time this many are pending. */
const FLUSH_COUNT = 1024
/** Holds the records of about 250 processes, fewer beside the sums of days and projects. The file is read whole for the totals. */
const BUCKET_BYTES = 32 * 1024

export class Counters {
  readonly #environment: Environment
  readonly #map: LogMap
  /** By the directory of the project, `''` for none. */
  readonly #pending = new Map<string, Map<CounterName, number>>()
  readonly #written = new Map<CounterName, number>()
  #pendingCount = 0
  #dueCount = FLUSH_COUNT
  readonly #hasGathered: (count: number) => void

  /** `identity` is the counters' path below the root. `hasGathered` is called from time to time while counts are pending. */
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

  /** Whether many counts are pending since the last `flush`, successful or not. */
  get isDue(): boolean {
    return this.#pendingCount >= this.#dueCount
  }

  /** How many counts `flush` would write. */
  get pendingCount(): number {
    return this.#pendingCount
  }

  count(name: CounterName, by = 1, project = '', weight = by): void {
    let counts = this.#pending.get(project)
    if (!counts) {
      counts = new Map()
      this.#pending.set(project, counts)
    }
    counts.set(name, (counts.get(name) ?? 0) + by)
    this.#pendingCount += weight
    this.#hasGathered(this.#pendingCount)
  }

  /** Adds a time, at most 12 days: a longer one can only come from a damaged entry. */
  countTime(name: TimeName, ms: number, project?: string): void {
    if (ms > 0) this.count(name, Math.round(Math.min(ms, 2 ** 30) * 1000), project, 1)
  }

  /** The counts of this process, by name. A name may occur twice. */
  own(): [CounterName, number][] {
    return [...this.#written, ...this.#unwritten()]
  }

  /** Totals of all processes, including this one's pending counts. */
  totals(): Counts {
    return sumOf(this.#map.records(), this.#unwritten())
  }

  /** The same for each project, by its directory. Of projects that have asked nothing for long, there may be none. */
  totalsByProject(): Map<string, Counts> {
    return sumsByProject(this.#map.records(), this.#pending)
  }

  /** The records that were written. */
  records(): Iterable<RecordView> {
    return this.#map.records()
  }

  /** Whether nothing was counted, ever or since `clear`. */
  get isEmpty(): boolean {
    return this.#pendingCount === 0 && this.#map.isEmpty
  }

  /** Resets the totals, and drops this process's pending counts. */
  clear(): void {
    for (const [project, counts] of this.#pending) this.#noteWritten(project, counts)
    this.#map.clear()
  }

  /** Removes the file if it is empty; see `LogMap`. */
  removeIfEmpty(): boolean {
    return this.#map.removeIfEmpty()
  }

  /** Removes unfinished files of processes that died. */
  removeLeftovers(): void {
    this.#map.removeLeftovers()
  }

  /** Writes pending counts. @throws errno-style errors; the counts stay pending in that case */
  flush(): void {
    if (this.#pendingCount === 0) return
    // If writing fails, it isn't tried again for each count.
    this.#dueCount = this.#pendingCount + FLUSH_COUNT
    for (const [project, counts] of this.#pending) {
      // Makes the key unique: two processes that see the same end of the file draw different numbers.
      const key = Buffer.allocUnsafe(KEY_BYTES)
      const view = viewOf(key)
      view.setUint32(0, Math.floor(this.#environment.random() * 2 ** 32), true)
      view.setUint32(4, this.#map.endAt(0), true)
      // A time before 1970 becomes a day that no date has.
      const change = recordOf(key, counts, (this.#environment.files.now() / 864e5) >>> 0, project)
      if (!this.#map.append(change)) this.#map.offer([change])
      this.#noteWritten(project, counts)
    }
  }

  close(): void {
    this.#map.close()
  }

  #unwritten(): [CounterName, number][] {
    return [...this.#pending.values()].flatMap(counts => [...counts])
  }

  #noteWritten(project: string, counts: ReadonlyMap<CounterName, number>): void {
    for (const [name, count] of counts) this.#written.set(name, (this.#written.get(name) ?? 0) + count)
    this.#pending.delete(project)
    if (this.#pending.size > 0) return
    this.#pendingCount = 0
    this.#dueCount = FLUSH_COUNT
  }
}
