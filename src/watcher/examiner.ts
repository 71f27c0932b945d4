// Looks at sources and settles what that means for their entries.
//
// What a source's stat proved once is remembered, so that one which was touched, or entered while it was racy, is read
// again only until its stat is old enough to tell a later change.

import type { Invalidation } from '../api/index.js'
import { type AnswerStore, changesToKeep } from '../entries/answers.js'
import { sourceClock } from '../fingerprint/clock.js'
import { isRacy, isSameStat } from '../fingerprint/fingerprint.js'
import { createSnapshot, type SnapshotMeans } from '../inputs/snapshot.js'
import type { Validity } from '../inputs/validity.js'
import type { Environment } from '../log/environment.js'
import type { Entry, Removal } from '../manifest/entry.js'
import { askerOf, labelOf } from '../manifest/owner.js'
import type { EntryChange, Lookup } from '../manifest/records.js'
import type { EntryIndex, WatchedEntry } from './entry-index.js'
import { fileInputs } from './file-inputs.js'
import type { Pace } from './pace.js'
import type { WatchedSource } from './source-tree.js'

export interface ExaminerInput {
  snapshotMeans: SnapshotMeans
  lists: AnswerStore['lists']
  environment: Environment
  index: EntryIndex
  pace: Pace
  now(): number
  canDrop: boolean
  report(error: unknown): void
  invalidated(invalidation: Invalidation): void
}

/** What there is at a path; null: nothing. */
interface Look {
  stat?: WatchedSource<WatchedEntry>['proved']
  /** The same where a later look can be compared with it. */
  proof?: WatchedSource<WatchedEntry>['proved']
}

/** An entry that others change at the same time is looked at again. */
const MAX_ATTEMPTS = 10

export class Examiner {
  readonly #input: ExaminerInput

  constructor(input: ExaminerInput) {
    this.#input = input
  }

  /** Takes in what the manifests say now, and examines what is new there; whether anything is. */
  async catchUp(): Promise<boolean> {
    const { index, pace } = this.#input
    const { added, removed } = await index.catchUp(pace)
    for (const entry of removed) {
      if (pace.isDue) await pace.breathe()
      this.#learnEnd(entry)
    }
    for (const entry of added) {
      if (pace.isDue) await pace.breathe()
      this.#examineNew(entry)
    }
    return added.length > 0 || removed.length > 0
  }

  /** Drops what the source has made stale. */
  examine(source: WatchedSource<WatchedEntry>): void {
    const { proved } = source
    const { stat, proof } = this.#look(source.path)
    if (proved === null ? stat === null : proved && stat && isSameStat(stat, proved)) return
    source.proved = undefined
    let isProved = true
    for (const entry of [...source.users]) if (!this.#settles(entry)) isProved = false
    if (isProved) source.proved = proof
  }

  /** Its sources may be those of many others, of which nothing is asked. */
  #examineNew(entry: WatchedEntry): void {
    const looks = entry.sources.map(({ path }) => this.#look(path))
    if (!this.#settles(entry)) return
    for (const [at, source] of entry.sources.entries()) {
      if (source.users.size === 1) source.proved = looks[at]?.proof
    }
  }

  #look(path: string): Look {
    const { files } = this.#input.environment
    try {
      const localMs = files.now()
      const stat = files.stat(path) ?? null
      const isUnsure = stat && isRacy(stat, sourceClock(files, path, stat, localMs))
      return { stat, proof: isUnsure ? undefined : stat }
    } catch (error) {
      this.#input.report(error)
      return {}
    }
  }

  /** Drops the entry when it is stale; false when nothing could be found out about it. */
  #settles(entry: WatchedEntry): boolean {
    const { canDrop, report } = this.#input
    const { manifest, key } = entry
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS && !entry.isOver; attempt++) {
        const looked = manifest.look(key)
        if (!looked.entry) {
          this.#end(entry, looked.removal)
          break
        }
        const { reason, path } = this.#validate(entry, looked.entry)
        // Of one whose sources cannot be found now, nothing is said.
        if (!isSourceCause(reason)) break
        const removal = { cause: reason, path }
        if (!canDrop || this.#drop(entry, looked, removal)) this.#end(entry, removal)
      }
      return true
    } catch (error) {
      report(error)
      return false
    }
  }

  /** By its files alone: what else it saw is another in each process. */
  #validate({ parts }: WatchedEntry, entry: Entry): Validity {
    const { snapshotMeans, lists } = this.#input
    const files = fileInputs(entry.inputs ?? [], lists)
    return createSnapshot(snapshotMeans).validate(files, askerOf(parts, entry), 'auto')
  }

  /** The entry is current no more; a computed one stays as the answer to the state that its sources had. */
  #drop({ manifest, key }: WatchedEntry, { entry, head, check }: Lookup, removal: Removal): boolean {
    if (!entry || !head) return false
    if (entry.computeMs === undefined) return manifest.swap({ key, removal }, check)
    const { environment, lists, now } = this.#input
    const kept: EntryChange[] = changesToKeep({ manifest, lists, environment, now }, key, entry)
    const { epoch, lease } = head
    return manifest.write([...kept, { key, head: { epoch, removal, lease }, expected: check }]).at(-1) === true
  }

  /** Of an entry that has left its part of the manifest. */
  #learnEnd(entry: WatchedEntry): void {
    const { manifest, key } = entry
    try {
      const looked = manifest.look(key)
      if (!looked.entry) this.#announce(entry, looked.removal)
    } catch (error) {
      this.#input.report(error)
    }
  }

  #end(entry: WatchedEntry, removal: Removal | undefined): void {
    this.#input.index.end(entry)
    this.#announce(entry, removal)
  }

  /** Only what a source was the cause of is news to those who watch sources. */
  #announce({ namespace, parts, origin, project }: WatchedEntry, removal: Removal | undefined): void {
    if (!removal?.path || !isSourceCause(removal.cause)) return
    const { version } = parts
    const about = { namespace, key: labelOf(parts), origin, version, project }
    this.#input.invalidated({ ...about, file: removal.path, cause: removal.cause })
  }
}

function isSourceCause(cause: string | undefined): cause is Invalidation['cause'] {
  return cause?.startsWith('source-') === true
}
