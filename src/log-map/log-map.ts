// A persistent hash map of small records, shared by any number of processes without a lock.
//
// Guarantees: opening reads nothing, a lookup reads one bucket, so both cost the same whatever the number of records.
// All processes agree on the order of the changes to a key. A change that `write` has returned for is seen by every
// process from its next event-loop turn on and survives any process's death.
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
import { type Change, type Found, type Position, writeChange } from './record.js'
import { Succession } from './succession.js'
import { BucketTree } from './tree.js'

/** Fewer records than this are not worth sixteen files. */
const MIN_SPLIT_RECORDS = 64
/** A file of one block has nothing to give back. */
const MIN_COMPACT_BYTES = 4096
/** No bucket's file comes near this. */
const MAX_FILE_BYTES = 2 ** 32
/** A writer that loses this often against others is not in a race but in a broken directory. */
const MAX_ATTEMPTS = 100

/** The records whose places begin with these hex digits. */
export interface Part {
  prefix: string
  /** Another one than before when anything was written to the part since. */
  stamp: string
  /** Each key's latest put; to be called before anything else is asked of the map. */
  records(): Found[]
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
  #serial = 0
  /** The turn in which the map was found to have no files. */
  #emptyTurn = 0

  /** `identity` is the map's place below the root, with `/`; `positionOf` tells where the caller puts a key, if it is one. */
  constructor(
    environment: Environment,
    path: string,
    identity: string,
    positionOf: (key: Buffer) => Position | undefined,
    bucketBytes = BUCKET_BYTES,
  ) {
    this.#environment = environment
    this.#directory = new BucketDirectory(environment.files, path)
    this.path = path
    this.identity = identity
    this.positionOf = positionOf
    this.#bucketBytes = bucketBytes
    this.#succession = new Succession(environment, this.#directory, identity)
  }

  /**
   * The key's record, which may be a removal; undefined when there is none.
   *
   * @throws errno-style errors
   */
  get({ place, slot }: Position, key: Uint8Array): Found | undefined {
    return this.#current(place)?.find(slot, key)
  }

  /**
   * A number that stays the same as long as nothing was written to the bucket of this place; 0 for no bucket.
   *
   * @throws errno-style errors
   */
  revision(place: number): number {
    const bucket = this.#current(place)
    return bucket ? bucket.serial * MAX_FILE_BYTES + bucket.log.end : 0
  }

  /** The same as far as it is in memory, without a look at whether others have changed it since. */
  getLoaded({ place, slot }: Position, key: Uint8Array): Found | undefined {
    const bucket = this.#tree.at(place)
    return bucket && bucket.residentBytes > 0 ? bucket.find(slot, key) : undefined
  }

  /** All records of one position, whatever their keys. */
  getAll({ place, slot }: Position): Found[] {
    return this.#current(place)?.findAll(slot) ?? []
  }

  /**
   * Makes the changes durable and visible, those of one bucket in one write as long as they do not fill it.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`; some of the changes may have been made
   */
  write(changes: readonly Change[]): void {
    let rest = changes
    for (let attempt = 0; rest.length > 0; attempt++) {
      if (attempt === MAX_ATTEMPTS) throw this.#broken()
      const failed: Change[] = []
      for (const [bucket, group] of this.#group(rest)) {
        const writer = this.#writer.reset()
        let count = 0
        while (count < group.length && writer.length < this.#bucketBytes) writeChange(writer, group[count++] as Change)
        // What would make the bucket much too large waits until it has been split.
        if (this.#append(bucket, writer) === 'again') count = 0
        else attempt = 0
        for (; count < group.length; count++) failed.push(group[count] as Change)
      }
      rest = failed
    }
  }

  /**
   * Makes the change only if the key's record is the expected one; returns whether it did.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  swap(change: Change & { expected: number }): boolean {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const writer = this.#writer.reset()
      writeChange(writer, change, Math.floor(this.#environment.random() * 0x100000000))
      const outcome = this.#append(this.#writable(change.place), writer)
      if (outcome !== 'again') return outcome === 'applied'
    }
    throw this.#broken()
  }

  /** Removes every record; returns how many keys had one. */
  clear(): number {
    let count = 0
    for (let place = 0, attempt = 0; place <= 0xffffffff; attempt++) {
      if (attempt === MAX_ATTEMPTS) throw this.#broken()
      const bucket = this.#current(place)
      if (!bucket) place = this.#afterMissing(place)
      else if (bucket.sealedAt >= 0) this.#follow(bucket, place)
      else if (this.#append(bucket, this.#writer.reset().begin(FRAME.clear).end()) !== 'again') {
        count += bucket.clearedCount
        this.#renew(bucket)
        place = placeAfter(bucket.name.prefix)
        attempt = 0
      }
    }
    return count
  }

  /** Rewrites the buckets that are mostly dead, however small they are. */
  compact(): void {
    for (let place = 0; place <= 0xffffffff; ) {
      const bucket = this.#current(place)
      place = bucket ? placeAfter(bucket.name.prefix) : this.#afterMissing(place)
      if (!bucket) continue
      if (bucket.log.end > MIN_COMPACT_BYTES && bucket.deadBytes * 2 >= bucket.log.end) this.#renew(bucket)
    }
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
  *records(): IterableIterator<Found> {
    for (const part of this.parts()) yield* part.records()
  }

  /** The same in parts of which one can tell, without reading them, whether they have changed since. */
  *parts(): IterableIterator<Part> {
    for (let place = 0; place <= 0xffffffff; ) {
      const bucket = this.#current(place)
      if (!bucket) {
        place = this.#afterMissing(place)
        continue
      }
      // Of a sealed bucket, other parts may have been taken over by successors already.
      const prefix = bucket.sealedAt < 0 ? bucket.name.prefix : prefixOf(place, bucket.name.prefix.length + 1)
      yield {
        prefix,
        stamp: `${bucket.name.generation} ${bucket.log.end}`,
        records: () => {
          const records = bucket.records().filter(found => hasPrefix(found.place, prefix))
          this.#tree.account(bucket)
          return records
        },
      }
      place = placeAfter(prefix)
    }
  }

  close(): void {
    this.#tree.close()
    this.#directory.forget()
  }

  /** The bucket in force for reading, as of this turn; a sealed one where its successors cannot be had. */
  #current(place: number): Bucket | undefined {
    const turn = this.#environment.turn.current()
    if (this.#emptyTurn === turn) return undefined
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const bucket = this.#tree.at(place) ?? this.#find(place)
      if (!bucket) {
        if (this.#directory.missing(place).prefix === '') this.#emptyTurn = turn
        return undefined
      }
      if (bucket.turn === turn && (bucket.sealedAt < 0 || this.#succession.isInForce(bucket, place))) return bucket
      if (!bucket.refresh()) this.#drop(bucket)
      else {
        bucket.turn = turn
        this.#tree.account(bucket)
        if (bucket.sealedAt < 0 || !this.#tryFollow(bucket, place)) return bucket
      }
    }
    throw this.#broken()
  }

  /** The bucket to append to; makes the first one of an empty map. */
  #writable(place: number): Bucket {
    this.#emptyTurn = 0
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const bucket = this.#tree.at(place) ?? this.#find(place) ?? this.#create(place)
      if (bucket.sealedAt < 0) return bucket
      this.#follow(bucket, place)
    }
    throw this.#broken()
  }

  /** Appends to the bucket; 'again' when it turned out not to be in force, so that the frames must go elsewhere. */
  #append(bucket: Bucket, writer: FrameWriter): 'applied' | 'outdated' | 'again' {
    const isNew = bucket.log.sizeBytes === 0
    const offset = bucket.append(writer)
    if (offset < 0) {
      this.#drop(bucket)
      return 'again'
    }
    bucket.turn = this.#environment.turn.current()
    this.#tree.account(bucket)
    if (bucket.isVoid(offset)) {
      this.#follow(bucket, firstPlace(bucket.name))
      return 'again'
    }
    // A first bucket may have come and gone between the listing and its creation: then the new file is nobody's.
    if (isNew && !this.#succession.isInForce(bucket, firstPlace(bucket.name))) {
      this.#drop(bucket)
      return 'again'
    }
    const outcome = bucket.isOutdated(offset) ? 'outdated' : 'applied'
    if (bucket.log.end >= bucket.limitBytes) this.#renew(bucket)
    return outcome
  }

  /** Gives a full bucket its successors where that helps; a failure only leaves it as it is. */
  #renew(bucket: Bucket): void {
    const isMostlyDead = bucket.deadBytes * 2 >= bucket.log.end
    const canSplit = bucket.liveCount >= MIN_SPLIT_RECORDS && bucket.name.prefix.length < BUCKET_MAX_DEPTH
    if (!isMostlyDead && !canSplit) {
      bucket.limitBytes = bucket.log.end * 2
      return
    }
    if (bucket.sealedAt < 0 && bucket.append(new FrameWriter().begin(FRAME.seal).end()) < 0) this.#drop(bucket)
    else this.#tryFollow(bucket, firstPlace(bucket.name))
  }

  /** Like `#follow`; false, with the sealed bucket as it is, when the successors cannot be had now. */
  #tryFollow(bucket: Bucket, place: number): boolean {
    try {
      return this.#follow(bucket, place)
    } catch (error) {
      if (errnoOf(error) === undefined && !(error instanceof CacheError)) throw error
      return false
    }
  }

  /**
   * Puts the successors of a sealed bucket in force. Where nothing may be written, the sealed one remains so for the places
   * that none of its successors has taken over yet: false for such a place.
   */
  #follow(bucket: Bucket, place: number): boolean {
    if (this.#environment.readOnly) {
      if (this.#succession.isInForce(bucket, place)) return false
    } else {
      this.#succession.settle(bucket)
    }
    this.#drop(bucket)
    return true
  }

  #group(changes: readonly Change[]): Map<Bucket, readonly Change[]> {
    if (changes.length === 1) return new Map([[this.#writable((changes[0] as Change).place), changes]])
    const groups = new Map<Bucket, Change[]>()
    for (const change of changes) {
      const bucket = this.#writable(change.place)
      const group = groups.get(bucket)
      if (group) group.push(change)
      else groups.set(bucket, [change])
    }
    return groups
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
    const bucket = new Bucket(log, name, ++this.#serial, this.#bucketBytes, this.positionOf)
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
