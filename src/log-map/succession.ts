// Gives a sealed bucket its successors. Any process may take any step, and may take it again after a process died.

import { errnoOf } from '../base/errors.js'
import { BUCKET_MAX_DEPTH, FRAME, SUCCESSOR_NAME_BYTES } from '../base/layout.js'
import { shortWrite } from '../base/short-write.js'
import type { Environment } from '../log/environment.js'
import { FrameWriter } from '../log/frames.js'
import { seedOf } from '../log/log-file.js'
import { writeOpenFrame } from '../log/opening.js'
import type { Bucket } from './bucket.js'
import { type BucketDirectory, type BucketName, digitAt, firstHash, identityOf } from './directory.js'
import { hasPrefix, successorsOf } from './prefixes.js'
import { type Change, type RecordView, writeChange } from './record.js'
import type { Successor } from './table.js'

/** Returns what the records of a full bucket are merged into. */
export type Merge = (records: readonly RecordView[], nowMs: number) => Change[]
/** Whether a record is of no use and may be left out. */
export type IsUseless = (record: RecordView) => boolean

export interface MapOptions {
  /** Size at which a bucket is given successors. */
  bucketBytes: number
  /** Whether the map is only a hint, so that it need not be synced: losing it costs only time. */
  isHint: boolean
  /** If given, a full bucket is never split: its records become what this function returns. */
  merge: Merge | undefined
}

/** The map that the bucket belongs to. */
export interface BucketedMap {
  readonly environment: Environment
  readonly directory: BucketDirectory
  readonly identity: string
  readonly options: MapOptions
}

export interface Rewriting {
  /** Leave out useless records; then the bucket isn't split. */
  isUseless?: IsUseless | undefined
  /** Don't split the bucket. */
  isWhole?: boolean
  /** Drop all removals. Otherwise those in the later half of the bucket are kept for watchers. */
  dropsRemovals?: boolean
}

/**
 * Puts the successors of a sealed bucket in force.
 *
 * @throws errno-style errors; CacheError `ERR_CACHE_IO`; it can be tried again later
 */
export function settle(map: BucketedMap, bucket: Bucket, how: Rewriting = {}): void {
  if (!bucket.successor) propose(map, bucket, how)
  if (bucket.successor) publish(map, bucket, bucket.successor)
}

/**
 * Builds candidates and appends their name. Afterwards `bucket.successor` is these or another process's; undefined
 * if the sealed file is gone because others have finished.
 */
function propose(map: BucketedMap, bucket: Bucket, { isUseless, isWhole, dropsRemovals }: Rewriting): void {
  const unique = randomHex(map.environment, SUCCESSOR_NAME_BYTES)
  const records = bucket.table.findable(isUseless)
  const removals = map.options.merge || dropsRemovals ? [] : bucket.table.removals(bucket.sealedAt / 2)
  // A file without records needs no sync: if a power cut takes it, nothing is lost.
  const isEmpty = records.length + removals.length === 0
  const maySplit = !isWhole && !map.options.merge && bucket.table.liveCount === records.length
  const isLarge = bucket.sealedAt - bucket.table.deadBytes > bucket.limitBytes / 2
  const isSplit = maySplit && isLarge && bucket.name.prefix.length < BUCKET_MAX_DEPTH
  const names = successorsOf(bucket.name, isSplit)
  const removeCandidates = () => {
    for (const name of names) map.environment.files.remove(map.directory.candidate(name, unique))
  }
  if (isSplit) map.directory.makeDirectory(`${bucket.name.prefix}0`)
  const parts = names.map(name => writeOpenFrame(new FrameWriter(), identityOf(map.identity, name), map.environment))
  const depth = bucket.name.prefix.length
  const merged = mergedRecords(map, records)
  if (merged) {
    for (const change of merged) writeChange(parts[0] as FrameWriter, change)
  } else {
    for (const record of [...records, ...removals]) {
      copyRecord(record, parts[isSplit ? digitAt(record.hash, depth) : 0] as FrameWriter)
    }
  }
  try {
    for (const [index, name] of names.entries()) writeCandidate(map, name, unique, parts[index] as FrameWriter)
    const isSynced = !map.options.isHint && !isEmpty
    if (isSynced) for (const name of names) map.environment.files.sync(map.directory.candidate(name, unique))
  } catch (error) {
    removeCandidates()
    // Another process may have made the successors meanwhile, after which a gc removes all other candidates.
    const isOvertaken = errnoOf(error) === 'ENOENT' && (!bucket.refresh() || bucket.successor !== undefined)
    if (isOvertaken) return
    throw error
  }
  // If this fails, the frame may have been written anyway, so the candidates stay.
  const frame = new FrameWriter().begin(FRAME.successor).u8(isSplit ? 1 : 0)
  bucket.append(frame.put(Buffer.from(unique, 'hex')).end())
  if (bucket.successor?.unique !== unique) removeCandidates()
}

function writeCandidate(map: BucketedMap, name: BucketName, unique: string, writer: FrameWriter): void {
  writer.check(map.environment.hashing, seedOf(map.environment, identityOf(map.identity, name)))
  const file = map.environment.descriptors.file(map.directory.candidate(name, unique), 'create')
  try {
    const written = file.append(writer.bytes, writer.length)
    if (written < writer.length) throw shortWrite(file.path, written, writer.length)
  } finally {
    file.close()
  }
}

/** Renames the successor's candidates into force; others may be doing the same. Then the sealed file can go. */
function publish(map: BucketedMap, bucket: Bucket, { isSplit, unique }: Successor): void {
  const { files } = map.environment
  for (const name of successorsOf(bucket.name, isSplit)) {
    const path = map.directory.file(name)
    if (files.stat(path)) continue
    try {
      files.rename(map.directory.candidate(name, unique), path)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
      // Either another process was first, and may be generations ahead, or the candidate was deleted or left out of a copy of
      // the directory. The sealed file still has the records.
      const isLeft = () => map.directory.isInForce(bucket.name, firstHash(name)) && files.stat(bucket.file.path)
      try {
        if (isLeft()) rebuild(map, bucket, name, isSplit)
      } catch (failure) {
        // Another process was faster and has removed this candidate.
        if (errnoOf(failure) !== 'ENOENT' || isLeft()) throw failure
      }
    }
  }
  files.remove(bucket.file.path)
}

/** Returns undefined if records aren't merged. */
function mergedRecords({ environment, options }: BucketedMap, records: readonly RecordView[]): Change[] | undefined {
  return options.merge?.(records, environment.files.now())
}

/** Builds a lost successor again. Other processes may do so too: the first to create its file wins. */
function rebuild(map: BucketedMap, bucket: Bucket, name: BucketName, isSplit: boolean): void {
  const { files } = map.environment
  const unique = randomHex(map.environment, SUCCESSOR_NAME_BYTES)
  const writer = writeOpenFrame(new FrameWriter(), identityOf(map.identity, name), map.environment)
  const records = bucket.table.findable().filter(({ hash }) => !isSplit || hasPrefix(hash, name.prefix))
  const merged = mergedRecords(map, records)
  if (merged) for (const change of merged) writeChange(writer, change)
  else for (const record of records) copyRecord(record, writer)
  map.directory.makeDirectory(name.prefix)
  writeCandidate(map, name, unique, writer)
  const candidate = map.directory.candidate(name, unique)
  if (!map.options.isHint) files.sync(candidate)
  const path = map.directory.file(name)
  // For file systems without hard links.
  if (!files.link(candidate, path) && !files.stat(path)) files.rename(candidate, path)
  files.remove(candidate)
}

/** Names must differ between all processes, containers and machines that use the directory. Pids don't, so names are random. */
function randomHex(environment: Environment, bytes: number): string {
  const byte = () => Math.floor(environment.random() * 256)
  return Buffer.from(Array.from({ length: bytes }, byte)).toString('hex')
}

/** Writes the record as an unconditional one, for a successor. */
function copyRecord({ isPut, hash, tag, keyStart, valueStart, bytes, end }: RecordView, writer: FrameWriter): void {
  writer.begin(isPut ? FRAME.put : FRAME.remove, hash, tag, valueStart - keyStart)
  writer.put(bytes.subarray(keyStart, end)).end()
}
