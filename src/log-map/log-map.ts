// A persistent hash map of small records, shared by any number of processes without a lock.
//
// Guarantees: opening reads nothing, a lookup reads one bucket, so both cost the same whatever the number of records.
// All processes agree on the order of the changes to a key. A change that `write` has returned for is seen by every
// process from then on and survives any process's death.
//
// Growth: a bucket past its limit gets successors (itself compacted, or sixteen parts). Whoever finds it full seals it:
// what comes after the seal is void, so its records are final, and any process can work out the same successors from
// them. Each builds its own candidates and appends their name to the sealed file; the first name there is the
// successor. Its candidates are then renamed into force, by anybody, and the sealed file is removed. A process killed
// in between leaves nothing to wait for: the next one takes the same step again.

import { CacheError, errnoOf } from '../base/errors.js'
import { BUCKET_BYTES, BUCKET_MAX_DEPTH, FRAME } from '../base/layout.js'
import type { Environment } from '../log/environment.js'
import { FrameWriter } from '../log/frames.js'
import { Log } from '../log/log.js'
import { Bucket } from './bucket.js'
import {
  BucketDirectory,
  type BucketName,
  firstPlace,
  hasPrefix,
  identityOf,
  placeAfter,
  prefixOf,
} from './directory.js'
import { type Change, type Position, type RecordView, writeChange } from './record.js'
import { Succession } from './succession.js'
import { BucketTree } from './tree.js'

/** Fewer records than this are not worth sixteen files. */
const MIN_SPLIT_RECORDS = 64
/** A bucket that is smaller than its limit is rewritten when this share of it is dead. */
const MIN_DEAD_SHARE = 0.2
/** A file of one block has nothing to give back. */
const MIN_COMPACT_BYTES = 4096
/** A writer that loses this often against others is not in a race but in a broken directory. */
const MAX_ATTEMPTS = 100

/** Where the only frame of a batch begins. */
const FIRST: readonly number[] = [0]

/** A bucket and how far it was read. */
export interface BucketState {
  readonly bucket: Bucket
  readonly end: number
}

/** The records whose places begin with these hex digits. */
export interface Part {
  prefix: string
  /** Another one than before when anything was written to the part since. */
  stamp: string
  /** Each key's latest put; to be called before anything else is asked of the map. */
  records(): RecordView[]
}

export class LogMap {
  /** Its directory. */
  readonly path: string
  readonly identity: string
  readonly positionOf: (key: Buffer) => Position | undefined
  readonly #environment: Environment
  readonly #directory: BucketDirectory
  readonly #bucketBytes: number
  readonly #writer = new FrameWriter()
  readonly #tree = new BucketTree()
  readonly #succession: Succession
  /** The turn in which the map was found to have no files. */
  #emptyTurn = 0

  /**
   * `identity` is the map's place below the root, with `/`; `positionOf` tells where the caller puts a key, if it is one. What is
   * only a hint need not be synced: nothing is lost with it but time.
   */
  constructor(
    environment: Environment,
    path: string,
    identity: string,
    positionOf: (key: Buffer) => Position | undefined,
    bucketBytes = BUCKET_BYTES,
    isHint = false,
  ) {
    this.#environment = environment
    this.#directory = new BucketDirectory(environment.files, path)
    this.path = path
    this.identity = identity
    this.positionOf = positionOf
    this.#bucketBytes = bucketBytes
    this.#succession = new Succession(environment, this.#directory, identity, !isHint)
  }

  /**
   * The key's record, which may be a removal; undefined when there is none.
   *
   * @throws errno-style errors
   */
  get({ place, slot }: Position, key: Uint8Array): RecordView | undefined {
    return this.#current(place)?.find(slot, key)
  }

  /** The state of the bucket of this place, for `isUnchanged`. @throws errno-style errors */
  stateAt(place: number): BucketState | undefined {
    const bucket = this.#current(place)
    return bucket && { bucket, end: bucket.log.end }
  }

  /** Whether nothing was written to the bucket of this place since it was in this state. @throws errno-style errors */
  isUnchanged(place: number, { bucket, end }: BucketState): boolean {
    return this.#current(place) === bucket && bucket.log.end === end
  }

  /** The key's record as far as it is in memory, without a look at whether others have changed it since. */
  getLoaded({ place, slot }: Position, key: Uint8Array): RecordView | undefined {
    const bucket = this.#tree.at(place)
    return bucket && bucket.residentBytes > 0 ? bucket.find(slot, key) : undefined
  }

  /** All records of one position, whatever their keys. */
  getAll({ place, slot }: Position): RecordView[] {
    return this.#current(place)?.findAll(slot) ?? []
  }

  /**
   * Makes the changes durable and visible, those of one bucket in one write as long as they do not fill it. A change that
   * expects a record is made only if that is the key's; returns for each whether it was made.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`; some of the changes may have been made
   */
  write(changes: readonly Change[]): boolean[] {
    if (changes.length === 1) return this.#writeOne(changes[0] as Change)
    const isMade = changes.map(() => true)
    let rest: number[] = Array.from(changes.keys())
    for (let attempt = 0; rest.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS) throw this.#broken()
      const failed: number[][] = []
      for (const [bucket, group] of this.#group(changes, rest)) {
        const made = this.#append(bucket, this.#writer, this.#gather(changes, group)) ?? []
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

  /** Has the writer hold the changes at these indexes, of which the last may be left for later; returns where each begins. */
  #gather(changes: readonly Change[], indexes: readonly number[]): number[] {
    const writer = this.#writer.reset()
    const starts: number[] = []
    for (const index of indexes) {
      // What would make the bucket much too large waits until it has been split.
      if (writer.length >= this.#bucketBytes) break
      starts.push(writer.length)
      this.#put(writer, changes[index] as Change)
    }
    return starts
  }

  #writeOne(change: Change): boolean[] {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const bucket = this.#writable(change.place)
      this.#put(this.#writer.reset(), change)
      const made = this.#append(bucket, this.#writer, FIRST)
      if (made) return made
    }
    throw this.#broken()
  }

  /** Makes the change only if the key's record is the expected one; returns whether it did. */
  swap(change: Change): boolean {
    return this.write([change])[0] as boolean
  }

  /** Removes every record; returns how many keys had one. */
  clear(): number {
    let count = 0
    for (let place = 0, attempt = 0; place <= 0xffffffff; attempt++) {
      if (attempt === MAX_ATTEMPTS) throw this.#broken()
      const bucket = this.#current(place)
      if (!bucket) place = this.#afterMissing(place)
      else if (bucket.sealedAt >= 0) this.#follow(bucket, place)
      else if (bucket.log.isShared) this.#replace(bucket)
      else if (this.#append(bucket, this.#writer.reset().begin(FRAME.clear).end(), [])) {
        count += bucket.clearedCount
        this.#renew(bucket)
        place = placeAfter(bucket.name.prefix)
        attempt = 0
      }
    }
    return count
  }

  /**
   * Rewrites the bucket at this place if a fifth of it is dead, or of no use to the caller; returns the first place that is not
   * its.
   */
  compactAt(place: number, isUseless?: (record: RecordView) => boolean): number {
    const bucket = this.#current(place)
    if (!bucket) return this.#afterMissing(place)
    const { log, deadBytes, sealedAt, name } = bucket
    let uselessBytes = 0
    if (isUseless && sealedAt < 0) {
      for (const record of bucket.records()) if (isUseless(record)) uselessBytes += record.frameBytes
      this.#tree.account(bucket)
    }
    const isMostlyUseless = uselessBytes > 0 && deadBytes + uselessBytes >= log.end * MIN_DEAD_SHARE
    if (sealedAt < 0 && (log.end > MIN_COMPACT_BYTES || uselessBytes > 0)) {
      if (isMostlyUseless || deadBytes >= log.end * MIN_DEAD_SHARE) this.#replace(bucket, isUseless)
    }
    return placeAfter(name.prefix)
  }

  /** Syncs the file of the bucket at this place; returns the first place that is not its. */
  syncAt(place: number): number {
    const bucket = this.#current(place)
    if (!bucket) return this.#afterMissing(place)
    this.#environment.files.sync(bucket.log.path)
    return placeAfter(bucket.name.prefix)
  }

  /**
   * Removes the files of buckets without records; returns whether there is nothing of the map any more. Whoever writes at the
   * same time finds the file sealed, or gone, and begins another one. The directories of a map that was split stay: they say for
   * which places a new bucket is.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  removeIfEmpty(): boolean {
    for (let place = 0; place <= 0xffffffff; ) {
      const next = this.#removeIfEmptyAt(place)
      // It can't be removed now, and others may be in the same way.
      if (next === undefined) return false
      place = next
    }
    return !this.#current(0) && this.#directory.missing(0).prefix === ''
  }

  /** Returns the first place after the bucket; undefined where it stays as it was. */
  #removeIfEmptyAt(place: number): number | undefined {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      this.#environment.turn.end()
      const bucket = this.#current(place)
      if (!bucket) return this.#afterMissing(place)
      if (bucket.liveCount > 0 || bucket.successor) return placeAfter(bucket.name.prefix)
      if (bucket.sealedAt < 0) {
        const offset = bucket.append(new FrameWriter().begin(FRAME.seal).end())
        if (offset >= 0 && !bucket.isVoid(offset) && bucket.liveCount === 0 && !bucket.successor) {
          this.#environment.files.remove(bucket.log.path)
        }
      }
      this.#drop(bucket)
    }
    return undefined
  }

  /** Whether there are no records. @throws errno-style errors */
  get isEmpty(): boolean {
    return this.records().next().done === true
  }

  /** Removes the candidates of processes that died, and what they did not remove themselves; returns how many candidates there were. */
  removeLeftovers(): number {
    for (const name of this.#directory.buckets()) {
      const inForce = this.#directory.find(firstPlace(name))
      if (inForce?.prefix === name.prefix && inForce.generation === name.generation) continue
      const log = new Log(this.#environment, this.#directory.file(name), identityOf(this.identity, name), 'append')
      const bucket = new Bucket(log, name, this.#bucketBytes, this.positionOf)
      if (bucket.refresh() && bucket.successor) this.#trySettle(bucket)
      log.close()
    }
    const candidates = this.#directory.candidates()
    this.#environment.turn.end()
    let count = 0
    for (const { path, prefix } of candidates) {
      // Whoever made it could still name it a successor: not once the bucket that it was made for has one.
      const bucket = this.#current(firstPlace({ prefix, generation: 0 }))
      if (bucket && bucket.sealedAt >= 0) continue
      if (this.#environment.files.remove(path)) count++
    }
    return count
  }

  /**
   * Rewrites the bucket in force at a place, which leaves behind whatever in it is no whole record.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  renew(place: number): void {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const bucket = this.#current(place)
      if (!bucket) return
      // As if all of it were dead, so that it is rewritten as one.
      bucket.deadBytes = bucket.log.sizeBytes
      if (bucket.sealedAt < 0 && bucket.append(new FrameWriter().begin(FRAME.seal).end()) < 0) {
        this.#drop(bucket)
        continue
      }
      this.#follow(bucket, place)
      return
    }
    throw this.#broken()
  }

  /** Every key's latest put, bucket by bucket; what is set or removed meanwhile may or may not be among them. */
  *records(): IterableIterator<RecordView> {
    for (const part of this.parts()) yield* part.records()
  }

  /** The same in parts of which one can tell, without reading them, whether they have changed since. */
  *parts(): IterableIterator<Part> {
    for (let place = 0; place <= 0xffffffff; ) {
      const { part, next } = this.partAt(place)
      if (part) yield part
      place = next
    }
  }

  /** The part that holds this place, if there is one, and the first place that is not its any more. */
  partAt(place: number): { part: Part | undefined; next: number } {
    const bucket = this.#current(place)
    if (!bucket) return { part: undefined, next: this.#afterMissing(place) }
    const { name, log, sealedAt } = bucket
    // Of a sealed bucket, other parts may have been taken over by successors already.
    const prefix = sealedAt < 0 ? name.prefix : prefixOf(place, name.prefix.length + 1)
    const records = () => {
      const all = bucket.records()
      this.#tree.account(bucket)
      return sealedAt < 0 ? all : all.filter(found => hasPrefix(found.place, prefix))
    }
    return { part: { prefix, stamp: `${name.generation} ${log.end}`, records }, next: placeAfter(prefix) }
  }

  close(): void {
    this.#emptyTurn = 0
    this.#tree.close()
    this.#directory.forget()
  }

  /** The bucket in force for reading, as of this turn; a sealed one where its successors cannot be had. */
  #current(place: number): Bucket | undefined {
    const turn = this.#environment.turn.current()
    if (this.#emptyTurn === turn && !this.#environment.files.linkStat(this.path)) return undefined
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const bucket = this.#tree.at(place) ?? this.#find(place)
      if (!bucket) {
        if (this.#directory.missing(place).prefix === '') this.#emptyTurn = turn
        return undefined
      }
      const isUnchanged = bucket.turn === turn && !bucket.hasMore()
      if (isUnchanged && (bucket.sealedAt < 0 || this.#succession.isInForce(bucket, place))) return bucket
      if (!bucket.refresh()) this.#drop(bucket)
      else {
        bucket.turn = turn
        this.#tree.account(bucket)
        if (bucket.sealedAt < 0 || !this.#tryFollow(bucket, place)) return bucket
      }
    }
    throw this.#broken()
  }

  /**
   * The bucket to append to; makes the first one of an empty map. In place of one that a copy of the root has as well, this root
   * gets one of its own: what is written here says nothing about what is there.
   */
  #writable(place: number): Bucket {
    this.#emptyTurn = 0
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const found = this.#tree.at(place) ?? this.#find(place)
      if (found && found.log.sizeBytes === 0 && !found.refresh()) {
        this.#drop(found)
        continue
      }
      const bucket = found ?? this.#create(place)
      if (bucket.sealedAt >= 0) this.#follow(bucket, place)
      else if (bucket.log.isShared) this.#replace(bucket)
      else return bucket
    }
    throw this.#broken()
  }

  /**
   * Appends to the bucket and returns for each of the frames that begin at `starts` whether it counts; undefined when the
   * bucket turned out not to be in force, so that the frames must go elsewhere.
   */
  #append(bucket: Bucket, writer: FrameWriter, starts: readonly number[]): boolean[] | undefined {
    const isNew = bucket.log.sizeBytes === 0
    const offset = bucket.append(writer)
    if (offset < 0) {
      this.#drop(bucket)
      // What else is open may be gone as well.
      this.#environment.turn.end()
      return undefined
    }
    bucket.turn = this.#environment.turn.current()
    this.#tree.account(bucket)
    if (bucket.isVoid(offset)) {
      this.#follow(bucket, firstPlace(bucket.name))
      return undefined
    }
    // A first bucket may have come and gone between the listing and its creation: then the new file is nobody's.
    if (isNew && !this.#succession.isInForce(bucket, firstPlace(bucket.name))) {
      this.#drop(bucket)
      return undefined
    }
    const isMade = starts.map(start => !bucket.isOutdated(offset + start))
    if (bucket.log.end >= bucket.limitBytes) this.#renew(bucket)
    return isMade
  }

  /** Gives a full bucket its successors where that helps; a failure only leaves it as it is. */
  #renew(bucket: Bucket): void {
    const isMostlyDead = bucket.deadBytes * 2 >= bucket.log.end
    const canSplit = bucket.liveCount >= MIN_SPLIT_RECORDS && bucket.name.prefix.length < BUCKET_MAX_DEPTH
    if (isMostlyDead || canSplit) this.#replace(bucket)
    else bucket.limitBytes = bucket.log.end * 2
  }

  #replace(bucket: Bucket, isUseless?: (record: RecordView) => boolean): void {
    if (bucket.sealedAt < 0 && bucket.append(new FrameWriter().begin(FRAME.seal).end()) < 0) this.#drop(bucket)
    else this.#tryFollow(bucket, firstPlace(bucket.name), isUseless)
  }

  /** What can't be settled now stays for the next process. */
  #trySettle(bucket: Bucket): void {
    try {
      this.#succession.settle(bucket)
    } catch (error) {
      if (errnoOf(error) === undefined && !(error instanceof CacheError)) throw error
    }
  }

  /** Like `#follow`; false, with the sealed bucket as it is, when the successors cannot be had now. */
  #tryFollow(bucket: Bucket, place: number, isUseless?: (record: RecordView) => boolean): boolean {
    try {
      return this.#follow(bucket, place, isUseless)
    } catch (error) {
      if (errnoOf(error) === undefined && !(error instanceof CacheError)) throw error
      return false
    }
  }

  /**
   * Puts the successors of a sealed bucket in force. Where nothing may be written, the sealed one remains so for the places
   * that none of its successors has taken over yet: false for such a place.
   */
  #follow(bucket: Bucket, place: number, isUseless?: (record: RecordView) => boolean): boolean {
    if (this.#environment.readOnly) {
      if (this.#succession.isInForce(bucket, place)) return false
    } else {
      this.#succession.settle(bucket, isUseless)
    }
    this.#drop(bucket)
    return true
  }

  /** The changes at these indexes by the bucket that they go to. */
  #group(changes: readonly Change[], indexes: readonly number[]): Map<Bucket, number[]> {
    const groups = new Map<Bucket, number[]>()
    for (const index of indexes) {
      const bucket = this.#writable((changes[index] as Change).place)
      const group = groups.get(bucket)
      if (group) group.push(index)
      else groups.set(bucket, [index])
    }
    return groups
  }

  /** A nonce tells this process's conditional change from an equal one of another. */
  #put(writer: FrameWriter, change: Change): void {
    writeChange(writer, change, change.expected === undefined ? 0 : Math.floor(this.#environment.random() * 2 ** 32))
  }

  /** The place after the bucket that is missing at this one; past the last one in an empty map. */
  #afterMissing(place: number): number {
    return placeAfter(this.#directory.missing(place).prefix)
  }

  #find(place: number): Bucket | undefined {
    const name = this.#directory.find(place)
    return name && this.#add(name, this.#environment.readOnly ? 'read' : 'append')
  }

  #create(place: number): Bucket {
    const name = this.#directory.missing(place)
    this.#environment.prepare()
    this.#directory.makeDirectory(name.prefix.slice(0, -1))
    return this.#add(name, 'create')
  }

  #add(name: BucketName, mode: 'read' | 'append' | 'create'): Bucket {
    const path = this.#directory.file(name)
    const log = new Log(this.#environment, path, identityOf(this.identity, name), mode)
    const bucket = new Bucket(log, name, this.#bucketBytes, this.positionOf)
    this.#tree.place(name.prefix, bucket)
    return bucket
  }

  #drop(bucket: Bucket): void {
    this.#tree.remove(bucket)
    this.#directory.forget()
  }

  #broken(): CacheError {
    return new CacheError('ERR_CACHE_IO', `The files in ${this.path} keep changing or cannot be followed.`)
  }
}
