// Checks sources, and drops the entries that their changes made stale.
//
// The state of a source is remembered. A source that was touched, or recorded while it was racy, is read again only until its
// stat is old enough to show later changes.

import type { Invalidation } from '../api/index.js'
import { type AnswerStore, changesToKeep } from '../entries/answers.js'
import { sourceClock } from '../fingerprint/clock.js'
import { isRacy, isSameStat } from '../fingerprint/fingerprint.js'
import { createSnapshot, type SnapshotMeans } from '../inputs/snapshot.js'
import type { Validity } from '../inputs/validity.js'
import type { Environment } from '../log/environment.js'
import type { Entry, Removal } from '../manifest/entry.js'
import { askerOf, labelOf, originOf } from '../manifest/owner.js'
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

/** The state of a path; null: nothing is there. */
interface Look {
  stat?: WatchedSource<WatchedEntry>['proved']
  /** The state, if a later check can be compared with it. */
  proof?: WatchedSource<WatchedEntry>['proved']
}

/** How often an entry is checked again that another process changes at the same time. */
const MAX_ATTEMPTS = 10

export class Examiner {
  readonly #input: ExaminerInput

  constructor(input: ExaminerInput) {
    this.#input = input
  }

  /** Reads the manifests again and examines new entries. Returns whether there are any. */
  async catchUp(): Promise<boolean> {
    const { index, pace } = this.#input
    const { added, removed, missed } = await index.catchUp(pace)
    for (const each of missed) {
      if (pace.isDue) await pace.breathe()
      this.#learnRemoval(each)
    }
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

  /** Drops the entries that the source has made stale. */
  examine(source: WatchedSource<WatchedEntry>): void {
    const look = this.#look(source.path)
    if (isProved(source, look)) return
    source.proved = undefined
    let isSettled = true
    for (const entry of [...source.users]) if (!this.#settles(entry)) isSettled = false
    if (isSettled) source.proved = this.#proofOf(source, look)
  }

  /** Its sources may belong to many other entries, which needn't be checked now. */
  #examineNew(entry: WatchedEntry): void {
    const looks = entry.sources.map(({ path }) => this.#look(path))
    const isSettled = this.#settles(entry)
    // What made it stale says nothing about the other users of its sources.
    if (entry.isOver) return
    for (const [at, source] of entry.sources.entries()) {
      const look = looks[at] as Look
      if (isSettled && source.users.size === 1) source.proved = this.#proofOf(source, look)
      // The state that proves the other users fresh need not prove this one.
      else if (!isSettled || !isProved(source, look)) source.proved = undefined
    }
  }

  /** A file that was created during the check must not be proved to be absent. */
  #proofOf({ path }: WatchedSource<WatchedEntry>, { proof }: Look): Look['proof'] {
    return proof === null && this.#look(path).stat !== null ? undefined : proof
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

  /** Drops the entry if it is stale. Returns false if it could not be checked. */
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
        // An entry whose sources can't be found now can't be checked.
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

  /** Only its files are checked. Other inputs differ between processes. */
  #validate({ parts }: WatchedEntry, entry: Entry): Validity {
    const { snapshotMeans, lists } = this.#input
    const files = fileInputs(entry.inputs ?? [], lists)
    return createSnapshot(snapshotMeans).validate(files, askerOf(parts, entry), 'auto')
  }

  /** Removes the current entry. A computed one is kept as the answer to the earlier state of its sources. */
  #drop({ manifest, key }: WatchedEntry, { entry, head, check }: Lookup, removal: Removal): boolean {
    if (!entry || !head) return false
    if (entry.computeMs === undefined) return manifest.swap({ key, removal }, check)
    const { environment, lists, now } = this.#input
    const kept: EntryChange[] = changesToKeep({ manifest, lists, environment, now }, key, entry)
    const { epoch, lease } = head
    return manifest.write([...kept, { key, head: { epoch, removal, lease }, expected: check }]).at(-1) === true
  }

  /** Reports an entry that another process has dropped. */
  #learnEnd(entry: WatchedEntry): void {
    const { manifest, key } = entry
    try {
      const looked = manifest.look(key)
      if (!looked.entry) this.#announce(entry, looked.removal)
    } catch (error) {
      this.#input.report(error)
    }
  }

  /** Reports an entry that was set and dropped since the last read of the manifest. */
  #learnRemoval({ namespace, manifest, key }: Pick<WatchedEntry, 'namespace' | 'manifest' | 'key'>): void {
    try {
      const { head, entry, removal } = manifest.look(key)
      const parts = manifest.partsOf(key)
      if (entry || !removal?.path || !this.#input.index.covers(removal.path)) return
      const origin = originOf(parts, { computeMs: head ? 0 : undefined })
      this.#announce({ namespace, parts, origin, project: parts.scope === 'project' ? parts.project : null }, removal)
    } catch (error) {
      this.#input.report(error)
    }
  }

  #end(entry: WatchedEntry, removal: Removal | undefined): void {
    this.#input.index.end(entry)
    this.#announce(entry, removal)
  }

  /** Only removals that a source caused are reported. */
  #announce(
    { namespace, parts, origin, project }: Pick<WatchedEntry, 'namespace' | 'parts' | 'origin' | 'project'>,
    removal: Removal | undefined,
  ): void {
    if (!removal?.path || !isSourceCause(removal.cause)) return
    const { version } = parts
    const about = { namespace, key: labelOf(parts), origin, version, project }
    this.#input.invalidated({ ...about, file: removal.path, cause: removal.cause })
  }
}

/** Whether the source is as it was when all its users were fresh. */
function isProved({ proved }: WatchedSource<WatchedEntry>, { stat }: Look): boolean {
  return proved === null ? stat === null : proved !== undefined && !!stat && isSameStat(stat, proved)
}

function isSourceCause(cause: string | undefined): cause is Invalidation['cause'] {
  return cause?.startsWith('source-') === true
}
