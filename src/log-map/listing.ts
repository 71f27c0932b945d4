// Lists the records of a log map, bucket by bucket.

import type { Bucket } from './bucket.js'
import type { Buckets } from './buckets.js'
import { hashAfter, hasPrefix, prefixOf } from './prefixes.js'
import type { Position, RecordView } from './record.js'
import type { Damaged } from './table.js'

/** The records whose hashes begin with these digits. */
export interface Part {
  prefix: string
  /** Changes whenever anything is written to the part. */
  stamp: string
  /** Returns each key's latest put. Call it before any other call on the map. */
  records(): RecordView[]
  /**
   * Returns the keys' latest puts and removals since the part had this stamp; none if it was rewritten since. Call it before any
   * other call on the map.
   */
  changedSince(stamp: string): RecordView[]
  /** Returns what can't be read of it. Call it before any other call on the map. */
  damaged(): Damaged
}

export function recordsAtHash(buckets: Buckets, position: Position, key: Buffer): RecordView[] {
  const { hashSeed } = buckets.environment
  for (;;) {
    const { changeCount } = hashSeed
    const { hash } = buckets.position(position, key)
    const bucket = buckets.current(hash)
    if (hashSeed.changeCount !== changeCount) continue
    const found = bucket?.table.atHash(hash) ?? []
    if (bucket) buckets.account(bucket)
    return found
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

/** The prefix of what the bucket holds around a hash: its successors may have taken over its other parts already. */
export function partOf({ name, successor }: Bucket, hash: number): string {
  return successor ? prefixOf(hash, name.prefix.length + 1) : name.prefix
}

export function partAt(buckets: Buckets, hash: number): { part: Part | undefined; next: number } {
  const bucket = buckets.current(hash)
  if (!bucket) return { part: undefined, next: buckets.afterMissing(hash) }
  const { name, end } = bucket
  const prefix = partOf(bucket, hash)
  const inPart = (all: RecordView[]) => {
    buckets.account(bucket)
    return prefix === name.prefix ? all : all.filter(found => hasPrefix(found.hash, prefix))
  }
  const part: Part = {
    prefix,
    stamp: `${name.generation} ${end}`,
    records: () => inPart(bucket.table.records()),
    changedSince: stamp => {
      const [generation, from = 0] = stamp.split(' ').map(Number)
      return generation === name.generation ? inPart(bucket.table.since(from)) : []
    },
    damaged: () => bucket.table.damaged(),
  }
  return { part, next: hashAfter(prefix) }
}
