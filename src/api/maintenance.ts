// Options and reports of gc and verify.

import type { Limits } from './limits.js'

/** Limits given here replace those that the cache was opened with. */
export interface GcOptions extends Limits {
  /** Drop entries of this namespace alone; the limits given here are for it then. */
  namespace?: string
  /** Change nothing, and report what would be done. */
  dryRun?: boolean
  /** Called now and then. */
  onProgress?: (progress: GcProgress) => void
  /** Aborts between two pieces of work, with the store intact: the promise is rejected with the signal's reason. */
  signal?: AbortSignal
}

/** How far a gc is. */
export interface GcProgress {
  /** First the entries of all namespaces are looked at, then values are given up. */
  step: 'entries' | 'values'
  /** Of the step: from 0 to 1. */
  fraction: number
}

/** What a garbage collection did, or in a dry run would do. */
export interface GcReport {
  /** Whether nothing was changed. */
  isDryRun: boolean
  /** Removed because their time was over. */
  expiredEntries: number
  /** Removed because a source had changed. */
  staleEntries: number
  /** Removed because they had not been used for longer than the maximum age. */
  unusedEntries: number
  /** Removed because there was too much: those first that were not used for long, and were quick to compute for their size. */
  evictedEntries: number
  /** Entries that are still there. */
  keptEntries: number
  /** Of the kept ones, those that can't be judged: sources that can't be looked at, records that are damaged. */
  unreadableEntries: number
  /** Values that no entry referred to. An estimate in a dry run. */
  removedBlobs: number
  /** Distinct values that entries refer to. */
  keptBlobs: number
  /** Values that no entry refers to and that stay, because most of what is stored beside them is in use, and what they take. */
  deadBlobs: number
  /** Bytes that those values take. */
  deadBytes: number
  /** Bytes on disk before and after, all files below the root's version directory. An estimate in a dry run. */
  diskBytesBefore: number
  /** Bytes on disk after it, an estimate in a dry run. */
  diskBytesAfter: number
}

/**
 * What verify found wrong. `corrupt`: bytes that were written whole and no longer are. `missing`: a file or an index record
 * that should be there. `dangling`: an entry or an index record whose blob is not there. `unreadable`: what is no file or
 * directory where one should be, or cannot be read.
 */
export type ProblemKind = 'corrupt' | 'missing' | 'dangling' | 'unreadable'

/**
 * What verify found that is normal and harmless. `torn`: the beginning of a frame whose writer was killed. `orphaned`: blobs
 * that no entry refers to, or of which the index was not told; leftovers of interrupted work; files that are not the cache's.
 */
export type NoteKind = 'torn' | 'orphaned'

/** One thing that verify found. */
export interface Finding<Kind extends ProblemKind | NoteKind> {
  /** What is wrong, or only worth a note. */
  kind: Kind
  /** Relative to the root, with `/` between its parts. */
  file: string
  /** Where in the file. */
  offset?: number
  /** How many bytes it is about. */
  bytes: number
  /** A sentence for a person. */
  message: string
  /** Of an entry. */
  namespace?: string
  /** Namespace version of the entry. */
  version?: string
  /** Key of the entry. */
  key?: string
  /** After a repair: whether this was mended. */
  isRepaired?: boolean
}

/** Something that is wrong. */
export type Problem = Finding<ProblemKind>
/** Something that is normal and harmless. */
export type Note = Finding<NoteKind>

/** What `verify` does besides looking. */
export interface VerifyOptions {
  /** Salvage what is whole, and keep what is cut out in `salvaged` below the root. Default: false, nothing is written. */
  repair?: boolean
  /** Called now and then, at least once a file. */
  onProgress?: (progress: VerifyProgress) => void
  /** Ends it early: the promise rejects with the signal's reason. What was repaired by then stays so. */
  signal?: AbortSignal
}

/** How far a verify is. */
export interface VerifyProgress {
  /** Relative to the root, with `/` between its parts. */
  file: string
  /** Bytes that were read by now. */
  checkedBytes: number
  /** Of all files that there were at the beginning; others may write meanwhile. */
  totalBytes: number
}

/** What verify found. */
export interface VerifyReport {
  /** Whether nothing is wrong; notes do not count. After a repair, this is what a second look found, as is all but the problems. */
  isWhole: boolean
  /** Files that were read. */
  fileCount: number
  /** Bytes that were read. */
  checkedBytes: number
  /** Whole blobs, and entries that can be read. */
  blobCount: number
  /** Entries that can be read. */
  entryCount: number
  /** The first 1,000 of them. */
  problems: Problem[]
  /** How many problems there are, also past the first 1,000. */
  problemCount: number
  /** The first 1,000 of them. */
  notes: Note[]
  /** How many notes there are, also past the first 1,000. */
  noteCount: number
  /** Paths below the root of what a repair cut out. */
  lostAndFound: string[]
}
