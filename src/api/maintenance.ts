// Options and reports of gc and verify.

import type { Limits } from './limits.js'

/** Limits given here replace those that the cache was opened with. */
export interface GcOptions extends Limits {
  /** Drop only entries of this namespace. The limits given here then apply to it. */
  namespace?: string
  /** Change nothing, and report what a gc would do. */
  dryRun?: boolean
  /** Called repeatedly while the gc runs. */
  onProgress?: (progress: GcProgress) => void
  /** Stops the gc and leaves the store intact. The promise rejects with the signal's reason. */
  signal?: AbortSignal
}

/** The progress of a gc. */
export interface GcProgress {
  /** First the gc checks the entries of all namespaces, then it removes values. */
  step: 'entries' | 'values'
  /** How much of the step is done, from 0 to 1. */
  fraction: number
}

/** What a garbage collection did, or in a dry run would do. */
export interface GcReport {
  /** Whether nothing was changed. */
  isDryRun: boolean
  /** Entries removed because their ttl was over. */
  expiredEntries: number
  /** Entries removed because a source had changed. */
  staleEntries: number
  /** Entries removed because they weren't used for longer than the maximum age. */
  unusedEntries: number
  /** Entries evicted to meet a limit: first those that weren't used for long and were quick to compute for their size. */
  evictedEntries: number
  /** Entries that were kept. */
  keptEntries: number
  /** Kept entries that couldn't be checked, because a source can't be read or the record is damaged. */
  unreadableEntries: number
  /** Values removed because no entry referred to them. An estimate in a dry run. */
  removedBlobs: number
  /** Distinct values that entries refer to. */
  keptBlobs: number
  /** Unused values that stay, because most of the values stored with them are in use. */
  deadBlobs: number
  /** The size of the unused values that stay. */
  deadBytes: number
  /** Bytes on disk before the gc: all files in the root's version directory. */
  diskBytesBefore: number
  /** Bytes on disk after the gc. An estimate in a dry run. */
  diskBytesAfter: number
}

/**
 * A kind of damage. `corrupt`: bytes have changed since they were written. `missing`: a file or an index record is missing.
 * `dangling`: the blob of an entry or of an index record is missing. `unreadable`: something can't be read, or isn't a file
 * or directory as expected.
 */
export type ProblemKind = 'corrupt' | 'missing' | 'dangling' | 'unreadable'

/**
 * A kind of harmless finding. `torn`: an unfinished frame whose writer was killed. `orphaned`: blobs that no entry refers to
 * or that the index doesn't know, leftovers of interrupted work, and files that don't belong to the cache.
 */
export type NoteKind = 'torn' | 'orphaned'

/** One thing that verify found. */
export interface Finding<Kind extends ProblemKind | NoteKind> {
  /** The kind of problem or note. */
  kind: Kind
  /** The file's path relative to the root, with `/`. */
  file: string
  /** Where in the file it begins, in bytes. */
  offset?: number
  /** How many bytes are affected. */
  bytes: number
  /** A description for users. */
  message: string
  /** Namespace of the entry. */
  namespace?: string
  /** The entry's version of the namespace. */
  version?: string
  /** Key of the entry. */
  key?: string
  /** After a repair: whether this was repaired. */
  isRepaired?: boolean
}

/** Damage that verify found. */
export type Problem = Finding<ProblemKind>
/** A harmless finding. */
export type Note = Finding<NoteKind>

/** Options of `verify`. */
export interface VerifyOptions {
  /**
   * Repair the damage, and keep a copy of everything cut out in `salvaged` below the root. Default: false, writes nothing.
   */
  repair?: boolean
  /** Called repeatedly, at least once for each file. */
  onProgress?: (progress: VerifyProgress) => void
  /** Stops early. The promise rejects with the signal's reason. Finished repairs stay. */
  signal?: AbortSignal
}

/** The progress of a verify. */
export interface VerifyProgress {
  /** The current file's path relative to the root, with `/`. */
  file: string
  /** Bytes read so far. */
  checkedBytes: number
  /** Size of all files at the beginning, in bytes. Other processes may add to it. */
  totalBytes: number
}

/** The result of a verify. */
export interface VerifyReport {
  /**
   * Whether there are no problems. Notes don't count. After a repair, this and everything except `problems` describe the
   * repaired store.
   */
  isWhole: boolean
  /** Number of files read. */
  fileCount: number
  /** Number of bytes read. */
  checkedBytes: number
  /** Number of intact blobs. */
  blobCount: number
  /** Number of readable entries. */
  entryCount: number
  /** The first 1,000 problems. */
  problems: Problem[]
  /** How many problems there are in all. */
  problemCount: number
  /** The first 1,000 problems. */
  notes: Note[]
  /** How many notes there are, also past the first 1,000. */
  noteCount: number
  /** Paths below the root of what a repair cut out. */
  lostAndFound: string[]
}
