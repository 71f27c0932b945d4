// The records of a log map, bucket by bucket.

import type { Buckets } from './buckets.js'
import { hasPrefix, placeAfter, prefixOf } from './prefixes.js'
import type { Position, RecordView } from './record.js'

/** The records whose places begin with these digits. */
export interface Part {
  prefix: string
  /** Another one than before when anything was written to the part since. */
  stamp: string
  /** Each key's latest put; to be called before anything else is asked of the map. */
  records(): RecordView[]
}

export function recordsAtPlace(buckets: Buckets, position: Position, key: Buffer): RecordView[] {
  const { hashSeed } = buckets.environment
  for (;;) {
    const { changeCount } = hashSeed
    const { place } = buckets.position(position, key)
    const bucket = buckets.current(place)
    if (hashSeed.changeCount === changeCount) return bucket?.table.atPlace(place) ?? []
  }
}

export function isEmpty(buckets: Buckets): boolean {
  return records(buckets).next().done === true
}

export function* records(buckets: Buckets): IterableIterator<RecordView> {
  for (const part of parts(buckets)) yield* part.records()
}

export function* parts(buckets: Buckets): IterableIterator<Part> {
  for (let place = 0; place <= 0xffffffff; ) {
    const { part, next } = partAt(buckets, place)
    if (part) yield part
    place = next
  }
}

export function partAt(buckets: Buckets, place: number): { part: Part | undefined; next: number } {
  const bucket = buckets.current(place)
  if (!bucket) return { part: undefined, next: buckets.afterMissing(place) }
  const { name, end, sealedAt } = bucket
  // Of a sealed bucket, other parts may have been taken over by successors already.
  const prefix = sealedAt < 0 ? name.prefix : prefixOf(place, name.prefix.length + 1)
  const recordsOf = () => {
    const all = bucket.table.records()
    buckets.account(bucket)
    return sealedAt < 0 ? all : all.filter(found => hasPrefix(found.place, prefix))
  }
  return { part: { prefix, stamp: `${name.generation} ${end}`, records: recordsOf }, next: placeAfter(prefix) }
}
