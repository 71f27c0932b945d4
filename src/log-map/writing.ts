// Writes changes to a log map.

import { BUCKET_MAX_DEPTH, FRAME } from '../base/layout.js'
import { FrameWriter } from '../log/frames.js'
import type { Bucket } from './bucket.js'
import { missingAt } from './bucket-listing.js'
import { type Buckets, MAX_ATTEMPTS } from './buckets.js'
import { firstHash } from './directory.js'
import { hashAfter } from './prefixes.js'
import { type Change, writeChange } from './record.js'
import type { Rewriting } from './succession.js'

/** A bucket with fewer records isn't split. */
const MIN_SPLIT_RECORDS = 64

/** Where the only frame of a batch begins. */
const FIRST: readonly number[] = [0]

const hasCondition = (changes: readonly Change[]) => changes.some(({ expected }) => expected !== undefined)

/** Returns for each change whether it was made; without `isAsking`, that is unknown. See `LogMap`. */
export function writeChanges(buckets: Buckets, changes: readonly Change[], isAsking: boolean): readonly boolean[] {
  if (changes.length === 1) return writeOne(buckets, changes[0] as Change, isAsking)
  const isMade = changes.map(() => true)
  let rest: number[] = Array.from(changes.keys())
  for (let attempt = 0; rest.length > 0; attempt++) {
    if (attempt === MAX_ATTEMPTS) throw buckets.broken()
    const failed: number[][] = []
    const groups = groupByBucket(buckets, changes, rest)
    // One was replaced meanwhile. Its changes would be made after later ones of the same keys.
    if ([...groups.keys()].some(bucket => buckets.known(firstHash(bucket.name)) !== bucket)) continue
    for (const [bucket, group] of groups) {
      const starts = gather(buckets, changes, group)
      const made = append(buckets, bucket, starts, isAsking && hasCondition(changes)) ?? []
      if (made.length > 0) attempt = 0
      made.forEach((made, at) => {
        isMade[group[at] as number] = made
      })
      failed.push(group.slice(made.length))
    }
    rest = failed.flat()
  }
  return isMade
}

function writeOne(buckets: Buckets, change: Change, isAsking: boolean): readonly boolean[] {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const bucket = writableFor(buckets, change)
    buckets.writer.reset()
    put(buckets, change)
    const made = append(buckets, bucket, FIRST, isAsking && change.expected !== undefined)
    if (made) return made
  }
  throw buckets.broken()
}

/** Removes every record; returns how many keys had one. */
export function clearAll(buckets: Buckets): number {
  let count = 0
  for (let hash = 0, attempt = 0; hash <= 0xffffffff; attempt++) {
    if (attempt === MAX_ATTEMPTS) throw buckets.broken()
    const bucket = buckets.current(hash)
    buckets.writer.reset().begin(FRAME.clear).end()
    if (!bucket) {
      hash = buckets.afterMissing(hash)
      attempt = 0
    } else if (bucket.sealedAt >= 0) buckets.follow(bucket, hash)
    else if (bucket.file.isShared) replace(buckets, bucket)
    else if (append(buckets, bucket, [])) {
      count += bucket.table.clearedCount
      splitOrCompact(buckets, bucket)
      hash = hashAfter(bucket.name.prefix)
      attempt = 0
    }
  }
  return count
}

/** Writes as many of these changes as fit into one batch. Returns the offset of each. */
function gather(buckets: Buckets, changes: readonly Change[], indexes: readonly number[]): number[] {
  const writer = buckets.writer.reset()
  const starts: number[] = []
  for (const index of indexes) {
    // Changes that would make the bucket much too large wait until it has been split.
    if (writer.length >= buckets.options.bucketBytes) break
    starts.push(writer.length)
    put(buckets, changes[index] as Change)
  }
  return starts
}

/** The changes at these indexes by the bucket that they go to. */
function groupByBucket(
  buckets: Buckets,
  changes: readonly Change[],
  indexes: readonly number[],
): Map<Bucket, number[]> {
  const groups = new Map<Bucket, number[]>()
  for (const index of indexes) {
    const bucket = writableFor(buckets, changes[index] as Change)
    const group = groups.get(bucket)
    if (group) group.push(index)
    else groups.set(bucket, [index])
  }
  return groups
}

/** A nonce tells this process's conditional change from an equal one of another. */
function put({ writer, environment }: Buckets, change: Change): void {
  writeChange(writer, change, change.expected === undefined ? 0 : Math.floor(environment.random() * 2 ** 32))
}

/** The bucket for a change; updates the change's position to the hash seed. */
function writableFor(buckets: Buckets, change: Change): Bucket {
  const { hashSeed } = buckets.environment
  for (;;) {
    const { changeCount } = hashSeed
    const { hash, tag } = buckets.position(change, change.key)
    change.hash = hash
    change.tag = tag
    const bucket = writable(buckets, hash)
    if (hashSeed.changeCount === changeCount) return bucket
  }
}

/**
 * Returns the bucket to append to; creates the first one of an empty map. A bucket file that is shared with a copy of the root
 * by hard links is replaced first, so that the copy doesn't change.
 */
function writable(buckets: Buckets, hash: number): Bucket {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const bucket = buckets.known(hash) ?? buckets.find(hash) ?? create(buckets, hash)
    if (bucket.end === 0 && !buckets.refresh(bucket)) continue
    // Another process may have created the file and the seed, without having written a frame yet.
    if (bucket.end === 0 && !bucket.isSeedEstablished) {
      buckets.environment.hashSeed.establish()
      bucket.isSeedEstablished = true
    }
    if (bucket.sealedAt >= 0) buckets.follow(bucket, hash)
    else if (bucket.file.isShared) replace(buckets, bucket)
    else return bucket
  }
  throw buckets.broken()
}

function create(buckets: Buckets, hash: number): Bucket {
  const name = missingAt(buckets.directory, hash)
  buckets.environment.prepare()
  buckets.directory.makeDirectory(name.prefix)
  return buckets.add(name, 'create')
}

/**
 * Appends what the writer holds to the bucket and returns for each of the frames that begin at `starts` whether it counts;
 * undefined when the bucket turned out not to be in force, so that the frames must go elsewhere. Without `isAsking` it is all
 * that do not come too late.
 */
function append(
  buckets: Buckets,
  bucket: Bucket,
  starts: readonly number[],
  isAsking = false,
): readonly boolean[] | undefined {
  // Between two changes of a batch, the root can turn out to be another one: all that was open is closed then.
  if (buckets.known(firstHash(bucket.name)) !== bucket) return undefined
  const isNew = bucket.end === 0
  const offset = bucket.append(buckets.writer, isAsking)
  if (offset < 0) {
    buckets.drop(bucket)
    // What else is open may be gone as well.
    buckets.environment.tick.end()
    return undefined
  }
  buckets.account(bucket)
  if (bucket.isVoid(offset)) {
    buckets.follow(bucket, firstHash(bucket.name))
    return undefined
  }
  // The map may have gained and lost a bucket since the listing: then no process reads this new file.
  if (isNew && !buckets.directory.isInForce(bucket.name, firstHash(bucket.name))) {
    // Voids its records, should it come into force.
    bucket.append(new FrameWriter().begin(FRAME.clear).end())
    buckets.drop(bucket)
    return undefined
  }
  const isMade = isAsking ? starts.map(start => !bucket.isOutdated(offset + start)) : starts.map(() => true)
  if (bucket.end >= bucket.limitBytes) splitOrCompact(buckets, bucket)
  return isMade
}

/** Gives a full bucket its successors where that helps; a failure only leaves it as it is. */
function splitOrCompact(buckets: Buckets, bucket: Bucket): void {
  const { deadBytes, liveCount } = bucket.table
  const isMostlyDead = deadBytes * 2 >= bucket.end
  const canSplit = liveCount >= MIN_SPLIT_RECORDS && bucket.name.prefix.length < BUCKET_MAX_DEPTH
  if (isMostlyDead || canSplit || buckets.options.merge) replace(buckets, bucket)
  else bucket.limitBytes = bucket.end * 2
}

/** Seals the bucket and gives it successors; a failure only leaves it as it is. */
export function replace(buckets: Buckets, bucket: Bucket, how?: Rewriting): void {
  if (bucket.sealedAt < 0 && bucket.append(new FrameWriter().begin(FRAME.seal).end()) < 0) buckets.drop(bucket)
  else buckets.tryFollow(bucket, firstHash(bucket.name), how)
}
