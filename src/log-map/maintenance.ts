// Keeps the files of a log map small and few, without changing what a lookup finds. See `LogMap`.

import { isIoError } from '../base/errors.js'
import { FRAME } from '../base/layout.js'
import { FrameWriter } from '../log/frames.js'
import type { Bucket } from './bucket.js'
import { bucketsIn, candidatesIn, missingAt } from './bucket-listing.js'
import { type Buckets, MAX_ATTEMPTS } from './buckets.js'
import { firstHash } from './directory.js'
import { hashAfter } from './prefixes.js'
import { type IsUseless, settle } from './succession.js'
import { replace } from './writing.js'

/** A bucket that is smaller than its limit is rewritten when this share of it is dead. */
const MIN_DEAD_SHARE = 0.2
/** Rewriting a file of one block frees nothing. */
const MIN_COMPACT_BYTES = 4096

/** The bucket in force. A sealed one is given its successors first, if that is possible. */
function settled(buckets: Buckets, hash: number): Bucket | undefined {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const bucket = buckets.current(hash)
    if (!bucket || bucket.sealedAt < 0 || !buckets.tryFollow(bucket, hash)) return bucket
  }
  throw buckets.broken()
}

export function compactAt(buckets: Buckets, hash: number, isUseless?: IsUseless): void {
  const bucket = settled(buckets, hash)
  if (!bucket || bucket.sealedAt >= 0) return
  if (isUseless || isWorthCompacting(buckets, bucket)) replace(buckets, bucket, { isUseless, dropsRemovals: true })
}

function isWorthCompacting(buckets: Buckets, bucket: Bucket): boolean {
  if (bucket.end <= MIN_COMPACT_BYTES) return false
  const { deadBytes } = bucket.table
  buckets.account(bucket)
  return deadBytes >= bucket.end * MIN_DEAD_SHARE
}

export function syncAt(buckets: Buckets, hash: number): number {
  const bucket = buckets.current(hash)
  if (!bucket) return buckets.afterMissing(hash)
  buckets.environment.files.sync(bucket.file.path)
  return hashAfter(bucket.name.prefix)
}

export function removeIfEmpty(buckets: Buckets): boolean {
  for (let hash = 0; hash <= 0xffffffff; ) {
    const next = removeIfEmptyAt(buckets, hash)
    // It can't be removed now, and the others may fail as well.
    if (next === undefined) return false
    hash = next
  }
  return !buckets.current(0) && missingAt(buckets.directory, 0).prefix === ''
}

/** Returns the first hash after the bucket; undefined if it could not be removed. */
function removeIfEmptyAt(buckets: Buckets, hash: number): number | undefined {
  const { tick, files } = buckets.environment
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    tick.end()
    const bucket = settled(buckets, hash)
    if (!bucket) return buckets.afterMissing(hash)
    if (bucket.table.liveCount > 0 || bucket.successor) return hashAfter(bucket.name.prefix)
    if (bucket.sealedAt < 0) {
      const offset = bucket.append(new FrameWriter().begin(FRAME.seal).end())
      const isFinal = offset >= 0 && !bucket.isVoid(offset) && !bucket.successor
      if (isFinal && bucket.table.liveCount === 0) files.remove(bucket.file.path)
    }
    buckets.drop(bucket)
  }
  return undefined
}

export function removeLeftovers(buckets: Buckets): number {
  const { directory, environment } = buckets
  for (const name of bucketsIn(directory)) {
    const inForce = directory.find(firstHash(name))
    if (inForce?.prefix === name.prefix && inForce.generation === name.generation) continue
    const bucket = buckets.open(name, 'append')
    if (bucket.refresh() && bucket.successor) trySettle(buckets, bucket)
    bucket.file.close()
  }
  const candidates = candidatesIn(directory)
  let count = 0
  for (const { path, prefix } of candidates) {
    // Its maker could still name it a successor, unless the bucket that it was made for has one.
    const bucket = settled(buckets, firstHash({ prefix, generation: 0 }))
    if (bucket && bucket.sealedAt >= 0) continue
    if (environment.files.remove(path)) count++
  }
  return count
}

/** What fails now is left for the next process. */
function trySettle(buckets: Buckets, bucket: Bucket): void {
  try {
    settle(buckets, bucket)
  } catch (error) {
    if (!isIoError(error)) throw error
  }
}

export function renewAt(buckets: Buckets, hash: number): void {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const bucket = buckets.current(hash)
    if (!bucket) return
    if (bucket.sealedAt < 0 && bucket.append(new FrameWriter().begin(FRAME.seal).end()) < 0) {
      buckets.drop(bucket)
      continue
    }
    buckets.follow(bucket, hash, { isWhole: true })
    return
  }
  throw buckets.broken()
}
