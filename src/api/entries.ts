// What is known of an entry and of a namespace.

import type { PathLike } from './compute.js'
import type { MissReason } from './reasons.js'
import type { RemoteCounts } from './remote.js'

/** Hex of the 128-bit hash of a blob, `-`, its length in bytes, and `+n` for the n-th blob after a hash collision. */
export type Digest = string & { readonly __brand: 'Digest' }

/** How long an entry lives: until it is deleted, for a time, or until one of its files changes. */
export type Mode = 'manual' | 'ttl' | 'file'

/** An input as it was recorded, or as it is. */
export interface InputState {
  /** What is there, or what kind of input it is. */
  kind: 'absent' | 'present' | 'file' | 'directory' | 'glob' | 'error' | 'environment' | 'entry' | 'place'
  /** Of a file. */
  sizeBytes?: number
  /** When the content of the file was changed, ms since the epoch. */
  mtimeMs?: number
  /** When the file or its metadata were changed, ms since the epoch. */
  ctimeMs?: number
  /** The number of the file in its file system. */
  inode?: number
  /** The first 16 bytes of the SHA-256 of its content, in hex. */
  digest?: string
}

/** An analysis: what `analyze` was called with. */
export interface AnalysisKey {
  /** The name of the analysis. */
  name: string
  /** The file that was analyzed. */
  file: PathLike
}

/** Analyses of a file, of all names where none is given. */
export interface AnalysesOf {
  /** The file that was analyzed. */
  file: PathLike
  /** The name of the analysis. Default: all. */
  name?: string
}

/** A call of a wrapped function: what `wrap` was given as its name, and the arguments. */
export interface CallKey {
  /** The name that `wrap` was given. */
  name: string
  /** The arguments of the call. */
  args: readonly unknown[]
}

/** What a get would find, and why. */
export interface Explanation {
  /** The key, of an analysis its name and file, of a call the name and the arguments, as `entries()` shows it. */
  key: string
  /** The version of the namespace that was asked. */
  version: string
  /** The directory of the project that was asked in; null for a user-wide key. */
  project: string | null
  /** Whether a get would find a value. */
  isHit: boolean
  /** Why it is a miss. */
  reason?: MissReason
  /** The same in a sentence for people. */
  message: string
  /** The file that made the entry stale. */
  file?: string
  /** The input that made the entry stale, where it is no file: the name of a variable, the key of an entry. */
  input?: string
  /** That input when the entry was made, and now. */
  before?: InputState
  /** That input now. */
  after?: InputState
  /** Versions under which the key has an entry, where this one has none. */
  otherVersions?: string[]
  /** Projects in which the key has an entry, where this one has none; null stands for user-wide. */
  otherProjects?: (string | null)[]
  /** The entry, where there is one. */
  entry?: EntryInfo
  /** What the remote tier said when this cache asked it last: `hit`, `miss`, `error`, `skipped`, `rejected: REASON`. */
  remote?: string
}

/** One entry as `entries()` lists it. */
export interface EntryInfo {
  /** The key; of an analysis `name file`, of a wrapped function `name(arguments)`. */
  key: string
  /** Of an analysis or a wrapped function. */
  name?: string
  /** How it came to be: by `set`, `getOrSet`, `analyze` or `wrap`. */
  origin: 'set' | 'getOrSet' | 'analyze' | 'wrap'
  /** The namespace version it was stored under. */
  version: string
  /** The project's directory; null: user-wide, or of every checkout (see `isPortable`). */
  project: string | null
  /** Whether it counts in every checkout. */
  isPortable: boolean
  /** How long the entry lives. */
  mode: Mode
  /** Whether a get would find it fresh now (its blob is not read). */
  valid: boolean
  /** Length of the stored value in bytes. */
  sizeBytes: number
  /** When it was stored, ms since the epoch. */
  createdAt: number
  /** How long ago it was stored, in ms. */
  ageMs: number
  /** How long its computation took, in ms, nested ones included; those that run at once share the time. Null where it was set. */
  computeMs: number | null
  /** When it ends, for entries with a ttl. */
  expiresAt?: number
  /** Absolute paths of the files and directories that it depends on. */
  files: string[]
  /** What its value is stored under: entries with equal values have equal digests. */
  digest: Digest
}

/** Statistics of one namespace, over all its versions, projects and processes. */
export interface NamespaceStats {
  /** Of all versions and projects. */
  entryCount: number
  /** Stored answers to earlier states of their inputs, which hit again when that state comes back. */
  pastAnswerCount: number
  /** Entries by the directory of their project; user-wide and portable ones are not among them. */
  projects: Record<string, number>
  /** Reads that found something, of all processes since the namespace was made. */
  hitCount: number
  /** Reads that found nothing, of all processes since the namespace was made. */
  missCount: number
  /** Misses by their reason; they add up to `missCount`. */
  missReasons: Partial<Record<MissReason, number>>
  /** Values that were stored, by any call. */
  setCount: number
  /** Sum of the entries' value lengths in bytes, as if nothing were shared. */
  totalSize: number
  /** Age of the oldest entry in ms, null when there is none. */
  oldestEntryAgeMs: number | null
  /** Bytes that the namespace's own files (manifest, counters) take on disk. */
  diskBytes: number
  /** How long the computations would have taken whose results were found, in ms: for each hit the `computeMs` of its entry. */
  savedMs: number
  /** How long computations took after misses, in ms, without the time in which they waited for nested ones. */
  computedMs: number
  /** What was asked of the remote tier and given to it; missing where it never was. */
  remote?: RemoteCounts
}

/** What this thread has asked of a namespace and stored in it. The fields are as in `NamespaceStats`. */
export type NamespaceSummary = Pick<
  NamespaceStats,
  'hitCount' | 'missCount' | 'missReasons' | 'setCount' | 'savedMs' | 'computedMs'
>
