// Descriptions of entries, and the statistics of a namespace.

import type { PathLike } from './compute.js'
import type { MissReason } from './reasons.js'
import type { RemoteCounts } from './remote.js'

/** Hex of the 128-bit hash of a blob, `-`, its length in bytes, and `+n` for the n-th blob after a hash collision. */
export type Digest = string & { readonly __brand: 'Digest' }

/** How long an entry lives: until it is deleted (`manual`), for a time (`ttl`), or until one of its files changes (`file`). */
export type Mode = 'manual' | 'ttl' | 'file'

/** The state of an input, as it was recorded or as it is now. */
export interface InputState {
  /** What was found, or what kind of input this is. */
  kind: 'absent' | 'present' | 'file' | 'directory' | 'glob' | 'error' | 'environment' | 'entry' | 'place'
  /** The size of the file in bytes. */
  sizeBytes?: number
  /** When the content of the file last changed, ms since the epoch. */
  mtimeMs?: number
  /** When the file or its metadata last changed, ms since the epoch. */
  ctimeMs?: number
  /** The inode number of the file. */
  inode?: number
  /** The first 16 bytes of the SHA-256 of the content, in hex. */
  digest?: string
}

/** An analysis: what `analyze` was called with. */
export interface AnalysisKey {
  /** The name of the analysis. */
  name: string
  /** The file that was analyzed. */
  file: PathLike
}

/** The analyses of a file; without a name, all of them. */
export interface AnalysesOf {
  /** The file that was analyzed. */
  file: PathLike
  /** The name of the analysis. Default: all. */
  name?: string
}

/** A call of a wrapped function: the name that `wrap` was given, and the arguments. */
export interface CallKey {
  /** The name that `wrap` was given. */
  name: string
  /** The arguments of the call. */
  args: readonly unknown[]
}

/** What a get would find, and why. */
export interface Explanation {
  /** The key, as `entries()` shows it: for an analysis its name and file, for a wrapped function its name and arguments. */
  key: string
  /** The version of the namespace. */
  version: string
  /** The directory of the project that the key belongs to; null for a user-wide key. */
  project: string | null
  /** Whether a get would find a value. */
  isHit: boolean
  /** Why the get would be a miss; undefined for a hit. */
  reason?: MissReason
  /** The answer in a sentence for people. */
  message: string
  /** The file that made the entry stale. */
  file?: string
  /** The input that made the entry stale, if it is not a file: the name of a variable, or the key of an entry. */
  input?: string
  /** The input that made the entry stale, as it was when the entry was stored. */
  before?: InputState
  /** The input that made the entry stale, as it is now. */
  after?: InputState
  /** Other versions under which the key has an entry, if this version has none. */
  otherVersions?: string[]
  /** Other projects in which the key has an entry, if this project has none; null stands for a user-wide entry. */
  otherProjects?: (string | null)[]
  /** The entry, if there is one. */
  entry?: EntryInfo
  /** What the remote tier said when this cache asked it last: `hit`, `miss`, `error`, `skipped`, `rejected: REASON`. */
  remote?: string
}

/** One entry as `entries()` lists it. */
export interface EntryInfo {
  /** The key. For an analysis it is `name file`, for a wrapped function `name(arguments)`. */
  key: string
  /** The name of the analysis or of the wrapped function. */
  name?: string
  /** How the entry was made: by `set`, `getOrSet`, `analyze` or `wrap`. */
  origin: 'set' | 'getOrSet' | 'analyze' | 'wrap'
  /** The namespace version that the entry was stored under. */
  version: string
  /** The project's directory; null if the entry is user-wide or valid in every checkout (see `isPortable`). */
  project: string | null
  /** Whether the entry is valid in every checkout. */
  isPortable: boolean
  /** How long the entry lives. */
  mode: Mode
  /**
   * Whether a get would find the entry valid now; a portable entry from here, or in the checkout that stored it. The value itself
   * is not read.
   */
  valid: boolean
  /** Length of the stored value in bytes. */
  sizeBytes: number
  /** When the entry was stored, ms since the epoch. */
  createdAt: number
  /** How long ago the entry was stored, in ms. */
  ageMs: number
  /**
   * How long the computation took, in ms, nested computations included. Computations that run at the same time share the time.
   * Null for an entry that was set.
   */
  computeMs: number | null
  /** When the entry expires, if it has a ttl. */
  expiresAt?: number
  /** Absolute paths of the files and directories that the entry depends on. */
  files: string[]
  /** The id of the stored value. Entries with equal values have equal digests. */
  digest: Digest
}

/** Statistics of one namespace, over all its versions, projects and processes. */
export interface NamespaceStats {
  /** Entries of all versions and projects. */
  entryCount: number
  /** Stored answers to earlier states of their inputs, which hit again when that state comes back. */
  pastAnswerCount: number
  /** Entries by the directory of their project; user-wide and portable ones are not among them. */
  projects: Record<string, number>
  /**
   * What was asked and stored in each project, by its directory, portable answers included. Of those asked last, some 30 to 50:
   * of others it is forgotten. Missing with `since`.
   */
  byProject?: Record<string, NamespaceSummary>
  /** Reads that found a value, by all processes since the namespace was created. */
  hitCount: number
  /** Reads that found no value, by all processes since the namespace was created. */
  missCount: number
  /** Misses by their reason; they add up to `missCount`. */
  missReasons: Partial<Record<MissReason, number>>
  /** Values that were stored, by any call. */
  setCount: number
  /** Sum of the entries' value lengths in bytes, as if nothing were shared. */
  totalSize: number
  /**
   * What of the index can't be read, and at how many places: entries in it are missing here, and a get doesn't find them. Missing
   * where all is well; `cache.verify()` says more.
   */
  damage?: { bytes: number; count: number }
  /** Age of the oldest entry in ms, null when there is none. */
  oldestEntryAgeMs: number | null
  /** Bytes that the namespace's own files (manifest, counters) take on disk. */
  diskBytes: number
  /** Time saved, in ms: for each hit, the `computeMs` of its entry. */
  savedMs: number
  /** Time spent in computations after misses, in ms, without the time in which they waited for nested computations. */
  computedMs: number
  /** Requests to the remote tier; undefined if it was never used. */
  remote?: RemoteCounts
}

/** What this thread has read from a namespace and stored in it. The fields mean what they mean in `NamespaceStats`. */
export type NamespaceSummary = Pick<
  NamespaceStats,
  'hitCount' | 'missCount' | 'missReasons' | 'setCount' | 'savedMs' | 'computedMs'
>
