// Repairs each kind of problem with ordinary steps, so that it is safe beside processes that get and set. A bucket is sealed
// and gets a successor, a pack is retired and rewritten as by a gc, and a record is removed only if it is still the one that
// was checked. Everything cut out is saved first. If that fails, nothing is cut.

import type { Problem } from '../api/index.js'
import { CACHE_TAG, type Layout } from '../base/layout.js'
import type { Blobs } from '../blobs/blobs.js'
import { evacuate } from '../blobs/evacuate.js'
import type { Environment } from '../log/environment.js'
import type { LogMap } from '../log-map/log-map.js'
import { changeOf, NO_RECORD, type RecordView } from '../log-map/record.js'
import { encodeHead } from '../manifest/entry-encoding.js'
import type { Location } from '../packs/blob.js'
import type { LostAndFound } from './lost-and-found.js'
import { type Flaw, isFailure, type Scan } from './scan.js'
import { isWhole } from './whole.js'

export class Mender {
  readonly #environment: Environment
  readonly #layout: Layout
  readonly #lostAndFound: LostAndFound

  constructor(environment: Environment, layout: Layout, lostAndFound: LostAndFound) {
    this.#environment = environment
    this.#layout = layout
    this.#lostAndFound = lostAndFound
  }

  /** Moves away something that doesn't belong there. */
  moveAway(problem: Problem, path: string): boolean {
    return this.#mend([problem], () => this.#lostAndFound.move(path))
  }

  tag(problem: Problem, isThere: boolean): void {
    const { tag } = this.#layout
    this.#mend([problem], () => {
      if (isThere) this.#lostAndFound.move(tag)
      this.#environment.files.createFile(tag, CACHE_TAG)
    })
  }

  /** Writes the hash seed found in the logs. */
  hashSeed(problem: Problem, path: string): void {
    this.#mend([problem], () => {
      if (this.#environment.files.linkStat(path)) this.#lostAndFound.move(path)
      this.#environment.hashSeed.establish()
    })
  }

  /** Copies the intact blobs of a pack to other packs and removes it. */
  pack(problems: readonly Problem[], blobs: Blobs, pack: number, path: string, flaws: readonly Flaw[]): boolean {
    return this.#mend(problems, () => {
      this.#lostAndFound.copy(path, flaws)
      evacuate(blobs, pack, (id, bytes) => isWhole(this.#environment.hashing, id, bytes))
    })
  }

  /** Rewrites a bucket from its intact records. */
  bucket(problems: readonly Problem[], map: LogMap, hash: number, path: string, scan: Scan): boolean {
    return this.#mend(problems, () => {
      this.#lostAndFound.copy(path, scan.flaws)
      map.renew(hash)
    })
  }

  /** Creates a bucket instead of a missing one. */
  missing(problem: Problem, path: string): boolean {
    return this.#mend([problem], () => this.#environment.files.createFile(path, ''))
  }

  /** Removes a record unless it was replaced. For an entry, the removal says that its value was unusable. */
  record(problem: Problem, map: LogMap, { key, check }: Pick<RecordView, 'key' | 'check'>): void {
    const position = map.positionOf(key)
    if (!position) return
    const value = encodeHead({ epoch: 0, removal: { cause: 'invalidated' } })
    this.#mend([problem], () => map.swap(changeOf('remove', position, key, value, check)))
  }

  /** Adds a missing blob to the index. */
  index(blobs: Blobs, id: Buffer, location: Location): void {
    this.#mend([], () => blobs.index.swap(blobs.indexChange(id, location, NO_RECORD)))
  }

  /** Returns whether the repair worked. If not, the error is added to the problems' messages. */
  #mend(problems: readonly Problem[], work: () => void): boolean {
    let failure: Error | undefined
    try {
      work()
    } catch (error) {
      if (!isFailure(error)) throw error
      failure = error
    }
    for (const problem of problems) {
      problem.isRepaired = failure === undefined
      if (failure) problem.message += ` It could not be repaired: ${failure.message}`
    }
    return failure === undefined
  }
}
