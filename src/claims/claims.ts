// Who is computing a value: so that a dozen processes that start together and need the same thing do not all compute it.
//
// A claim is a hint and never a lock: whoever finds one may wait for the value for a while, and computes it himself when
// the owner has died, is on a machine that cannot be asked, or takes too long. A damaged or lost claim costs a second
// computation. Nobody waits for a claim of his own process, where waiting could only be for himself.

import type { Environment } from '../log/environment.js'
import { LogMap } from '../log-map/log-map.js'
import { changeOf, NO_RECORD, type Position } from '../log-map/record.js'
import { isRunning, type Owner, thisProcess } from './owner.js'

/** A key as its owner looks it up. */
export interface ClaimKey extends Position {
  bytes: Buffer
}

/** How long others wait for a process that lives, in ms. */
const PATIENCE_MS = 10_000
/** The same for one on another machine, or in another container, whose life cannot be asked after. */
const FOREIGN_PATIENCE_MS = 2_000
/** A file of claims, which are removed again at once, is rewritten early. */
const BUCKET_BYTES = 16 * 1024

export class Claims {
  readonly #environment: Environment
  readonly #map: LogMap
  readonly #given: Owner | undefined

  /** `identity` is the claims' place below the root. */
  constructor(
    environment: Environment,
    path: string,
    identity: string,
    positionOf: (key: Buffer) => Position,
    self: Owner | undefined = undefined,
  ) {
    this.#environment = environment
    this.#map = new LogMap(environment, path, identity, positionOf, BUCKET_BYTES)
    this.#given = self
  }

  /**
   * Claims the key unless somebody worth waiting for has.
   *
   * @throws errno-style errors; CacheError `ERR_CACHE_IO`
   */
  take(key: ClaimKey): boolean {
    const found = this.#map.get(key, key.bytes)
    const isFree = found?.kind !== 'put'
    if (!isFree && this.#isWorthWaiting(found.value)) return false
    const { pid, host } = this.#self
    const value = Buffer.allocUnsafe(4 + 6 + Buffer.byteLength(host))
    value.writeUInt32LE(pid, 0)
    value.writeUIntLE(this.#environment.files.now(), 4, 6)
    value.write(host, 10)
    return this.#map.swap(changeOf('put', key, key.bytes, value, isFree ? NO_RECORD : found.check))
  }

  /** Ends the claim of this process. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
  release(key: ClaimKey): void {
    const found = this.#map.get(key, key.bytes)
    if (found?.kind !== 'put' || !this.#isOwn(found.value)) return
    this.#map.swap(changeOf('remove', key, key.bytes, Buffer.alloc(0), found.check))
  }

  /** Removes what dead processes left of their work. */
  removeLeftovers(): void {
    this.#map.removeLeftovers()
  }

  close(): void {
    this.#map.close()
  }

  get #self(): Owner {
    return this.#given ?? thisProcess()
  }

  #isWorthWaiting(claim: Buffer): boolean {
    if (claim.length < 10 || this.#isOwn(claim)) return false
    const isHere = claim.toString('utf8', 10) === this.#self.host
    const ageMs = this.#environment.files.now() - claim.readUIntLE(4, 6)
    if (ageMs < 0 || ageMs > (isHere ? PATIENCE_MS : FOREIGN_PATIENCE_MS)) return false
    return !isHere || isRunning(claim.readUInt32LE(0))
  }

  #isOwn(claim: Buffer): boolean {
    return claim.readUInt32LE(0) === this.#self.pid && claim.toString('utf8', 10) === this.#self.host
  }
}
