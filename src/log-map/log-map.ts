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
import { Log, seedOf, writeOpenFrame } from '../log/log.js'
import { Bucket, type Successor, UNIQUE_BYTES } from './bucket.js'
import { BucketDirectory, type BucketName, successorsOf } from './directory.js'
import { type Change, type Found, type Position, writeChange } from './record.js'

/** Buckets by place: a level of the tree for each hex digit. */
type Node = Bucket | Node[] | undefined

/** Bytes of files that one map keeps in memory. */
const RESIDENT_BYTES = 16 * 1024 * 1024
/** Fewer records than this are not worth sixteen files. */
const MIN_SPLIT_RECORDS = 64
/** A file of one block has nothing to give back. */
const MIN_COMPACT_BYTES = 4096
/** A writer that loses this often against others is not in a race but in a broken directory. */
const MAX_ATTEMPTS = 100

export class LogMap {
  readonly #environment: Environment
  readonly #directory: BucketDirectory
  readonly #identity: string
  readonly #positionOf: (key: Buffer) => Position | undefined
  readonly #bucketBytes: number
  readonly #writer = new FrameWriter()
  #root: Node
  /** Loaded buckets, the longest loaded first. */
  readonly #resident = new Set<Bucket>()
  #residentBytes = 0
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
    this.#identity = identity
    this.#positionOf = positionOf
    this.#bucketBytes = bucketBytes
  }

  /**
   * The key's record, which may be a removal; undefined when there is none.
   *
   * @throws errno-style errors
   */
  get({ place, slot }: Position, key: Uint8Array): Found | undefined {
    return this.#current(place)?.find(slot, key)
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

  /** Every key's latest put, bucket by bucket; what is set or removed meanwhile may or may not be among them. */
  *records(): IterableIterator<Found> {
    for (let place = 0; place <= 0xffffffff; ) {
      const bucket = this.#current(place)
      if (!bucket) {
        place = this.#afterMissing(place)
        continue
      }
      // Of a sealed bucket, other parts may have been taken over by successors already.
      const part = bucket.sealedAt < 0 ? bucket.name.prefix : prefixOf(place, bucket.name.prefix.length + 1)
      for (const found of bucket.records()) if (hasPrefix(found.place, part)) yield found
      this.#account(bucket)
      place = placeAfter(part)
    }
  }

  close(): void {
    const walk = (node: Node) => {
      if (Array.isArray(node)) node.forEach(walk)
      else node?.log.close()
    }
    walk(this.#root)
    this.#root = undefined
    this.#directory.forget()
  }

  /** The bucket in force for reading, as of this turn; a sealed one where its successors cannot be had. */
  #current(place: number): Bucket | undefined {
    const turn = this.#environment.turn.current()
    if (this.#emptyTurn === turn) return undefined
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const bucket = this.#known(place) ?? this.#find(place)
      if (!bucket) {
        if (this.#directory.missing(place).prefix === '') this.#emptyTurn = turn
        this.#directory.forget()
        return undefined
      }
      if (bucket.turn === turn && (bucket.sealedAt < 0 || this.#isInForce(bucket, place))) return bucket
      if (!bucket.refresh()) this.#drop(bucket)
      else {
        bucket.turn = turn
        this.#account(bucket)
        if (bucket.sealedAt < 0 || !this.#tryFollow(bucket, place)) return bucket
      }
    }
    throw this.#broken()
  }

  /** The bucket to append to; makes the first one of an empty map. */
  #writable(place: number): Bucket {
    this.#emptyTurn = 0
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const bucket = this.#known(place) ?? this.#find(place) ?? this.#create(place)
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
    this.#account(bucket)
    if (bucket.isVoid(offset)) {
      this.#follow(bucket, firstPlace(bucket.name))
      return 'again'
    }
    if (isNew && !this.#isInForce(bucket, firstPlace(bucket.name))) {
      this.#drop(bucket)
      return 'again'
    }
    const outcome = bucket.isOutdated(offset) ? 'outdated' : 'applied'
    if (bucket.log.end >= bucket.limitBytes) this.#renew(bucket)
    return outcome
  }

  /** The first bucket may have come and gone between the listing and its creation: then the new file is nobody's. */
  #isInForce({ name }: Bucket, place: number): boolean {
    this.#directory.forget()
    const newest = this.#directory.find(place)
    return newest?.generation === name.generation && newest.prefix === name.prefix
  }

  // Successors

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
      if (this.#isInForce(bucket, place)) return false
    } else {
      if (!bucket.successor) this.#nominate(bucket)
      if (bucket.successor) this.#publish(bucket, bucket.successor)
    }
    this.#drop(bucket)
    return true
  }

  /**
   * Builds candidates and appends their name; afterwards `bucket.successor` is these, another process's, or, where the
   * sealed file is gone because others went through all of this meanwhile, still unknown.
   */
  #nominate(bucket: Bucket): void {
    const unique = this.#randomHex(UNIQUE_BYTES)
    const isSplit = bucket.deadBytes * 2 < bucket.sealedAt && bucket.name.prefix.length < BUCKET_MAX_DEPTH
    const names = successorsOf(bucket.name, isSplit)
    const removeCandidates = () => {
      for (const name of names) this.#environment.files.remove(this.#directory.candidate(name, unique))
    }
    if (isSplit) this.#directory.makeDirectory(bucket.name.prefix)
    const changes = bucket.changes()
    try {
      for (const name of names) this.#writeCandidate(name, unique, changes)
    } catch (error) {
      removeCandidates()
      throw error
    }
    // When this fails the frame may be there all the same, so the candidates stay.
    const frame = new FrameWriter().begin(FRAME.successor).u8(isSplit ? 1 : 0)
    bucket.append(frame.put(Buffer.from(unique, 'hex')).end())
    if (bucket.successor?.unique !== unique) removeCandidates()
  }

  #writeCandidate(name: BucketName, unique: string, changes: Change[]): void {
    const identity = this.#identityOf(name)
    const writer = writeOpenFrame(new FrameWriter(), identity)
    for (const change of changes) if (hasPrefix(change.place, name.prefix)) writeChange(writer, change)
    writer.check(this.#environment.hashing, seedOf(this.#environment, identity))
    const file = this.#environment.descriptors.file(this.#directory.candidate(name, unique), 'create')
    try {
      const written = file.append(writer.bytes, writer.length)
      if (written < writer.length) throw new CacheError('ERR_CACHE_IO', `${file.path} could not be written whole.`)
    } finally {
      file.close()
    }
  }

  /** Renames the successor's candidates into force; others may be doing the same. Then the sealed file can go. */
  #publish(bucket: Bucket, { isSplit, unique }: Successor): void {
    const { files } = this.#environment
    for (const name of successorsOf(bucket.name, isSplit)) {
      const path = this.#directory.file(name)
      if (files.stat(path)) continue
      try {
        files.rename(this.#directory.candidate(name, unique), path)
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error
        // Another process was first and may be generations further; else somebody deleted the candidate, and its
        // records are lost.
        if (this.#isInForce(bucket, firstPlace(name)) && files.stat(bucket.log.path)) this.#createEmpty(path)
      }
    }
    files.remove(bucket.log.path)
  }

  #createEmpty(path: string): void {
    try {
      this.#environment.files.createFile(path, '')
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
  }

  // The tree of known buckets

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

  #known(place: number): Bucket | undefined {
    let node = this.#root
    for (let shift = 28; Array.isArray(node); shift -= 4) node = node[(place >>> shift) & 15]
    return node
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
    const log = new Log(this.#environment, path, this.#identityOf(name), mode)
    const bucket = new Bucket(log, name, this.#bucketBytes, this.#positionOf)
    this.#place(name.prefix, bucket)
    return bucket
  }

  #drop(bucket: Bucket): void {
    bucket.log.close()
    this.#resident.delete(bucket)
    this.#residentBytes -= bucket.accountedBytes
    bucket.accountedBytes = 0
    this.#place(bucket.name.prefix, undefined)
    this.#directory.forget()
  }

  #place(prefix: string, node: Node): void {
    if (prefix === '') {
      this.#root = node
      return
    }
    if (!Array.isArray(this.#root)) this.#root = []
    let level = this.#root
    for (const digit of prefix.slice(0, -1)) {
      const at = Number.parseInt(digit, 16)
      const below = level[at]
      const next: Node[] = Array.isArray(below) ? below : []
      level[at] = next
      level = next
    }
    level[Number.parseInt(prefix.at(-1) as string, 16)] = node
  }

  /** Keeps the memory for loaded files within bounds: the longest loaded give theirs back. */
  #account(bucket: Bucket): void {
    const { residentBytes } = bucket
    if (residentBytes === bucket.accountedBytes) return
    this.#residentBytes += residentBytes - bucket.accountedBytes
    bucket.accountedBytes = residentBytes
    this.#resident.add(bucket)
    for (const oldest of this.#resident) {
      if (this.#residentBytes <= RESIDENT_BYTES) return
      oldest.evict()
      this.#residentBytes -= oldest.accountedBytes
      oldest.accountedBytes = 0
      this.#resident.delete(oldest)
    }
  }

  /** Names must differ between processes, containers and machines on one directory: pids do not, so they are random. */
  #randomHex(bytes: number): string {
    const byte = () => Math.floor(this.#environment.random() * 256)
    return Buffer.from(Array.from({ length: bytes }, byte)).toString('hex')
  }

  #identityOf({ prefix, generation }: BucketName): string {
    return `${this.#identity}/${prefix === '' ? '_' : prefix}.${generation}`
  }

  #broken(): CacheError {
    return new CacheError('ERR_CACHE_IO', `The files in ${this.#directory.path} keep changing or cannot be followed.`)
  }
}

function firstPlace({ prefix }: BucketName): number {
  return Number.parseInt(prefix.padEnd(8, '0'), 16)
}

function placeAfter(prefix: string): number {
  return Number.parseInt(prefix.padEnd(8, 'f'), 16) + 1
}

function prefixOf(place: number, depth: number): string {
  return (place >>> 0).toString(16).padStart(8, '0').slice(0, depth)
}

function hasPrefix(place: number, prefix: string): boolean {
  return prefix === '' || place >>> (32 - 4 * prefix.length) === Number.parseInt(prefix, 16)
}
