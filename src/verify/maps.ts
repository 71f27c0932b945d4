// Checks every bucket of a log map: first its frames, then the records in force. Buckets are found by hash, like readers do,
// so that a bucket that gets successors meanwhile isn't missed. A damaged bucket doesn't keep the others from being checked.

import { FRAME, FRAME_HEADER_BYTES } from '../base/layout.js'
import { LogFile } from '../log/log-file.js'
import { Bucket } from '../log-map/bucket.js'
import { bucketsIn, missingAt } from '../log-map/bucket-listing.js'
import { BucketDirectory, type BucketName, identityOf } from '../log-map/directory.js'
import { partOf } from '../log-map/listing.js'
import type { LogMap } from '../log-map/log-map.js'
import { hashAfter, hasPrefix } from '../log-map/prefixes.js'
import { isChange, RecordView } from '../log-map/record.js'
import type { Inspection } from './inspection.js'
import { type FrameCheck, isFailure, scanLog } from './scan.js'
import { doubtTail, reportFlaws } from './tails.js'

/** The location of a record. */
export interface Place {
  path: string
  offset: number
}

/** Called for each record that a lookup finds. */
export type Visit = (found: RecordView, place: Place) => void

/** If a bucket is missing at each of these attempts, it isn't a race: the directory is broken. */
const MAX_ATTEMPTS = 100
const MAX_HASH = 0xffffffff

/** `surveyed` are the bucket files found. Those that aren't in force are leftovers. */
export async function checkMap(
  inspection: Inspection,
  map: LogMap,
  surveyed: readonly string[],
  visit: Visit,
): Promise<void> {
  const check = new MapCheck(inspection, map, visit)
  await check.run()
  for (const path of surveyed) if (!check.inForce.has(path)) doubtLeftover(inspection, path)
}

class MapCheck {
  readonly inForce = new Set<string>()
  readonly #inspection: Inspection
  readonly #map: LogMap
  readonly #visit: Visit
  readonly #directory: BucketDirectory
  /** All buckets, as they were when the first one was missing. */
  #listed: BucketName[] | undefined

  constructor(inspection: Inspection, map: LogMap, visit: Visit) {
    this.#inspection = inspection
    this.#map = map
    this.#visit = visit
    this.#directory = new BucketDirectory(inspection.environment.files, map.path)
  }

  async run(): Promise<void> {
    let attempt = 0
    for (let hash = 0; hash <= MAX_HASH; ) {
      await this.#inspection.pause()
      this.#directory.forget()
      const name = this.#directory.find(hash)
      if (!name) {
        hash = this.#missing(hash)
        continue
      }
      const next = await this.#bucket(name, hash, attempt)
      attempt = next === hash ? attempt + 1 : 0
      hash = next
    }
  }

  /** Returns the hash at which to continue; the same one if the bucket must be checked again. */
  async #bucket(name: BucketName, hash: number, attempt: number): Promise<number> {
    const path = this.#directory.file(name)
    const { environment, findings } = this.#inspection
    this.inForce.add(path)
    // The survey has reported what is not a file.
    const kind = environment.files.linkStat(path)?.kind
    if (kind !== undefined && kind !== 'file') return hashAfter(name.prefix)
    try {
      const next = (await this.#frames(path, name, hash)) ? this.#records(path, name, hash) : undefined
      if (next !== undefined) return next
      if (attempt < MAX_ATTEMPTS) return hash
      findings.problem({ kind: 'unreadable', path, message: 'The file keeps changing or cannot be followed.' })
    } catch (error) {
      if (!isFailure(error)) throw error
      findings.problem({ kind: 'unreadable', path, message: error.message })
    }
    return hashAfter(name.prefix)
  }

  /** False if the bucket was replaced. */
  async #frames(path: string, name: BucketName, hash: number): Promise<boolean> {
    const { environment, mender } = this.#inspection
    const look = () => scanLog(environment, path, identityOf(this.#map.identity, name), this.#checkOf(name))
    let scan = look()
    if (scan && scan.flaws.length > 0) {
      // Not at the first check: a frame that looks damaged may be in the middle of being written.
      await this.#inspection.pause()
      scan = look()
    }
    if (!scan) return false
    this.#inspection.checked(path, scan.sizeBytes)
    const problems = reportFlaws(this.#inspection, path, scan)
    if (mender && problems.length > 0) return !mender.bucket(problems, this.#map, hash, path, scan)
    doubtTail(this.#inspection, path, scan)
    return true
  }

  #checkOf({ prefix }: BucketName): FrameCheck {
    const view = new RecordView()
    let isSealed = false
    return (type, bytes, start, end) => {
      if (type === FRAME.seal) isSealed = true
      if (isSealed || type === FRAME.clear) return undefined
      if (!isChange(type)) return 'No map has frames of this type.'
      if (!view.look(type, bytes, start, end)) return 'A record is cut short.'
      const position = this.#map.positionOf(view.bytes.subarray(view.keyStart, view.valueStart))
      const isFindable = position?.hash === view.hash && position.tag === view.tag
      return isFindable && hasPrefix(view.hash, prefix) ? undefined : 'A record stands where no lookup finds it.'
    }
  }

  #records(path: string, name: BucketName, hash: number): number | undefined {
    const { environment } = this.#inspection
    const file = new LogFile(environment, path, identityOf(this.#map.identity, name), 'read')
    const bucket = new Bucket(file, name, 0, this.#map.positionOf)
    try {
      if (!bucket.refresh()) return undefined
      const part = partOf(bucket, hash)
      for (const record of bucket.table.records()) {
        const isFindable = this.#map.positionOf(record.key)?.hash === record.hash
        if (isFindable && hasPrefix(record.hash, part))
          this.#visit(record, { path, offset: record.start - FRAME_HEADER_BYTES })
      }
      return hashAfter(part)
    } finally {
      file.close()
    }
  }

  /** Handles a missing part of a split bucket, or the end of an empty map, whose directories may be left. */
  #missing(hash: number): number {
    const { findings, mender } = this.#inspection
    const name = missingAt(this.#directory, hash)
    const next = hashAfter(name.prefix)
    this.#directory.forget()
    if (name.prefix === '' || this.#directory.find(hash)) return name.prefix === '' ? next : hash
    if (!this.#wasSplitOff(name.prefix)) return next
    const path = this.#directory.file({ ...name, generation: 0 })
    const message = 'One of the parts of a bucket is missing, and its records with it.'
    const problem = findings.problem({ kind: 'missing', path, message })
    mender?.missing(problem, path)
    return next
  }

  /**
   * Whether a bucket was split into one of this prefix and others that are there. Those have gone through a generation for
   * each digit. Buckets that were begun in the directories of an emptied map have not.
   */
  #wasSplitOff(prefix: string): boolean {
    const parent = prefix.slice(0, -1)
    const hasSibling = (buckets: readonly BucketName[]) =>
      buckets.some(
        ({ prefix, generation }) =>
          prefix.length > parent.length && prefix.startsWith(parent) && generation >= prefix.length,
      )
    this.#listed ??= bucketsIn(this.#directory)
    return hasSibling(this.#listed) && hasSibling(bucketsIn(this.#directory))
  }
}

function doubtLeftover(inspection: Inspection, path: string): void {
  const { environment, findings } = inspection
  inspection.doubt(() => {
    const stat = environment.files.linkStat(path)
    if (stat?.kind !== 'file') return
    const message = 'Other files have replaced this one.'
    findings.note({ kind: 'orphaned', path, bytes: stat.sizeBytes, message })
  })
}
