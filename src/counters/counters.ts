// Counts of one namespace over all its processes: one record of totals in a log map, to which each process adds what it
// gathered, as a compare-and-swap, so that none is lost and none counts twice. A killed process loses what it had not
// added yet.

import type { MissReason } from '../api/index.js'
import { CacheError } from '../base/errors.js'
import { readU48, writeU48 } from '../base/u48.js'
import type { Environment } from '../log/environment.js'
import { LogMap } from '../log-map/log-map.js'
import { changeOf, NO_RECORD, type Position } from '../log-map/record.js'

/** The order is that of the bytes: new ones go to the end. */
export const COUNTER_NAMES = [
  'hits',
  'sets',
  'never-set',
  'deleted',
  'invalidated',
  'expired',
  'source-changed',
  'source-missing',
  'source-appeared',
  'blob-missing',
  'corrupt',
  'unreadable',
  'version-changed',
  'evicted',
  'environment-changed',
  'entry-changed',
  'moved',
  'question-changed',
  'invalid',
  'refresh',
  'no-project',
] as const satisfies readonly ('hits' | 'sets' | MissReason)[]

export type CounterName = (typeof COUNTER_NAMES)[number]
export type Counts = Record<CounterName, number>

/** Counts are added to the totals on exit and each time this many have gathered. */
const FLUSH_COUNT = 1024
/** A file of nothing but totals is rewritten early. */
const BUCKET_BYTES = 2048
const MAX_ATTEMPTS = 1000
const KEY = Buffer.from('totals')
const POSITION: Position = { place: 0, slot: 0 }
const COUNT_BYTES = 6

/** The one record's, whatever its key. */
export const countersPosition = () => POSITION

export class Counters {
  readonly #map: LogMap
  #pending = noCounts()
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
    this.#hasGathered = hasGathered
    this.#map = new LogMap(environment, path, identity, countersPosition, BUCKET_BYTES, true)
  }

  /** Whether enough has gathered since the last `flush`, successful or not. */
  get isDue(): boolean {
    return this.#pendingCount >= this.#dueCount
  }

  /** How many counts `flush` would add. */
  get pendingCount(): number {
    return this.#pendingCount
  }

  count(name: CounterName, by = 1): void {
    this.#pending[name] += by
    this.#pendingCount += by
    this.#hasGathered(this.#pendingCount)
  }

  /** Totals of all processes, with what this one has not added yet. */
  totals(): Counts {
    const totals = decode(this.#map.get(POSITION, KEY)?.value)
    for (const name of COUNTER_NAMES) totals[name] += this.#pending[name]
    return totals
  }

  /** Whether nothing was ever counted, or not since `clear`. */
  get isEmpty(): boolean {
    return this.#pendingCount === 0 && this.#map.get(POSITION, KEY)?.kind !== 'put'
  }

  /** Forgets the totals, and what this process has not added yet. */
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

  /** Adds what was gathered to the totals. @throws errno-style errors; nothing is lost then */
  flush(): void {
    // Where nothing can be written, it is not tried again for each count.
    this.#dueCount = this.#pendingCount + FLUSH_COUNT
    for (let attempt = 0; this.#pendingCount > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS) throw new CacheError('ERR_CACHE_IO', 'Statistics could not be added up.')
      const expected = this.#map.get(POSITION, KEY)?.check ?? NO_RECORD
      if (!this.#map.swap(changeOf('put', POSITION, KEY, encode(this.totals()), expected))) continue
      this.#reset()
    }
  }

  close(): void {
    this.#map.close()
  }

  #reset(): void {
    this.#pending = noCounts()
    this.#pendingCount = 0
    this.#dueCount = FLUSH_COUNT
  }
}

export function noCounts(): Counts {
  return Object.fromEntries(COUNTER_NAMES.map(name => [name, 0])) as Counts
}

function encode(counts: Counts): Buffer {
  const bytes = Buffer.alloc(COUNT_BYTES * COUNTER_NAMES.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (const [index, name] of COUNTER_NAMES.entries()) writeU48(view, COUNT_BYTES * index, counts[name])
  return bytes
}

function decode(bytes: Buffer | undefined): Counts {
  const counts = noCounts()
  if (!bytes) return counts
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (const [index, name] of COUNTER_NAMES.entries()) {
    const at = COUNT_BYTES * index
    // A record of an earlier version has fewer.
    if (at + COUNT_BYTES <= bytes.length) counts[name] = readU48(view, at)
  }
  return counts
}
