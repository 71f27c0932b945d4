// The records of a log map, bucket by bucket.

import type { Buckets } from './buckets.js'
import { hashAfter, hasPrefix, prefixOf } from './prefixes.js'
import type { Position, RecordView } from './record.js'

/** The records whose hashes begin with these digits. */
export interface Part {
  prefix: string
  /** Another one than before when anything was written to the part since. */
  stamp: string
  /** Each key's latest put; to be called before anything else is asked of the map. */
  records(): RecordView[]
}

export function recordsAtHash(buckets: Buckets, position: Position, key: Buffer): RecordView[] {
  const { hashSeed } = buckets.environment
  for (;;) {
    const { changeCount } = hashSeed
    const { hash } = buckets.position(position, key)
    const bucket = buckets.current(hash)
    if (hashSeed.changeCount === changeCount) return bucket?.table.atHash(hash) ?? []
  }
}

export function isEmpty(buckets: Buckets): boolean {
  return records(buckets).next().done === true
}

export function* records(buckets: Buckets): IterableIterator<RecordView> {
  for (const part of parts(buckets)) yield* part.records()
}

export function* parts(buckets: Buckets): IterableIterator<Part> {
  for (let hash = 0; hash <= 0xffffffff; ) {
    const { part, next } = partAt(buckets, hash)
    if (part) yield part
    hash = next
  }
}

export function partAt(buckets: Buckets, hash: number): { part: Part | undefined; next: number } {
  const bucket = buckets.current(hash)
  if (!bucket) return { part: undefined, next: buckets.afterMissing(hash) }
  const { name, end, sealedAt } = bucket
  // Of a sealed bucket, other parts may have been taken over by successors already.
  const prefix = sealedAt < 0 ? name.prefix : prefixOf(hash, name.prefix.length + 1)
  const recordsOf = () => {
    const all = bucket.table.records()
    buckets.account(bucket)
    return sealedAt < 0 ? all : all.filter(found => hasPrefix(found.hash, prefix))
  }
  return { part: { prefix, stamp: `${name.generation} ${end}`, records: recordsOf }, next: hashAfter(prefix) }
}
