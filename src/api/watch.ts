// What a watcher reports.

import type { CacheError } from '../base/errors.js'
import type { EntryInfo } from './entries.js'
import type { StaleReason } from './reasons.js'

/** How directories are watched. */
export interface WatchOptions {
  /** Keep the process alive until the watcher is closed. Default: false. */
  persistent?: boolean
  /**
   * Whether changes at and below an absolute path need not be heard of at once; they are still found within seconds to
   * minutes. Default: whatever is named `.git` or `node_modules`.
   */
  ignored?: (path: string) => boolean
}

/** An entry that is no longer valid, because of one of its sources. */
export interface Invalidation {
  /** The namespace of the entry. */
  namespace: string
  /** The key; of an analysis `name file`, of a wrapped function `name(arguments)`. */
  key: string
  /** How it came to be. */
  origin: EntryInfo['origin']
  /** The namespace version that it was stored under. */
  version: string
  /** The project's directory; null: user-wide. Of a portable entry, the checkout in which it became stale. */
  project: string | null
  /** The source, as an absolute path. */
  file: string
  /** What has happened to the source. */
  cause: Extract<StaleReason, `source-${string}`>
}

/** The events of a watcher, and what their listeners are given. */
export interface WatcherEvents {
  /** Entries whose sources had changed before are dropped, and changes from now on are heard of. */
  ready: []
  /** An entry was dropped, by this process or by another one that watches. */
  invalidate: [invalidation: Invalidation]
  /** Once for each kind of trouble: some changes are found later, by looking. Without a listener it is a warning. */
  error: [error: CacheError]
  /** What `status` says has changed. */
  update: []
}

/** What a watcher watches now. */
export interface WatcherStatus {
  /** Entries with a source below the roots, and their sources there. */
  entryCount: number
  /** Sources of these entries below the roots. */
  sourceCount: number
  /** Entries that were found invalid since the start. */
  invalidCount: number
  /** Whether not all of the roots can be watched, so that changes may be found late. */
  isDegraded: boolean
}

/** Drops entries as their sources change. A get never depends on it: that looks for itself. */
export interface Watcher {
  /** Absolute. */
  readonly roots: readonly string[]
  /** Resolves when `ready` is emitted, or the watcher is closed before. */
  readonly ready: Promise<void>
  /** What it watches now. `update` is emitted when this changes. */
  status(): WatcherStatus
  /** Calls the listener each time. */
  on<Name extends keyof WatcherEvents>(name: Name, listener: (...args: WatcherEvents[Name]) => void): this
  /** Calls the listener the next time. */
  once<Name extends keyof WatcherEvents>(name: Name, listener: (...args: WatcherEvents[Name]) => void): this
  /** Calls the listener no more. */
  off<Name extends keyof WatcherEvents>(name: Name, listener: (...args: WatcherEvents[Name]) => void): this
  /** Ends it; nothing is emitted afterwards. */
  close(): Promise<void>
}
