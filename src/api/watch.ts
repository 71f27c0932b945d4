// Watchers: their options, events and status.

import type { CacheError } from '../base/errors.js'
import type { EntryInfo } from './entries.js'
import type { StaleReason } from './reasons.js'

/** Options of `watch`. */
export interface WatchOptions {
  /** Keep the process alive until the watcher is closed. Default: false. */
  persistent?: boolean
  /**
   * Whether an absolute path, and everything below it, is not watched. Changes there are still found, within seconds to
   * minutes. Default: every path named `.git` or `node_modules`.
   */
  ignored?: (path: string) => boolean
}

/** An entry that is no longer valid, because of one of its sources. */
export interface Invalidation {
  /** The namespace of the entry. */
  namespace: string
  /** The key. For an analysis it is `name file`, for a wrapped function `name(arguments)`. */
  key: string
  /** How the entry was made. */
  origin: EntryInfo['origin']
  /** The namespace version that the entry was stored under. */
  version: string
  /** The project's directory; null for a user-wide entry. For a portable entry, the checkout in which it became stale. */
  project: string | null
  /** The absolute path of the source. */
  file: string
  /** What happened to the source. */
  cause: Extract<StaleReason, `source-${string}`>
}

/** The events of a watcher, and what their listeners are given. */
export interface WatcherEvents {
  /** The watcher is set up: entries whose sources changed earlier are dropped, and changes from now on are noticed. */
  ready: []
  /** An entry was dropped, by this process or by another one that watches. */
  invalidate: [invalidation: Invalidation]
  /**
   * Something can't be watched, so some changes are found later. Emitted once for each kind of trouble. Without a listener it
   * is printed as a warning.
   */
  error: [error: CacheError]
  /** `status` has changed. */
  update: []
}

/** What a watcher watches now. */
export interface WatcherStatus {
  /** Entries with a source below the watched directories. */
  entryCount: number
  /** Sources of these entries below the watched directories. */
  sourceCount: number
  /** Entries that were found invalid since the watcher started. */
  invalidCount: number
  /** Whether some of the directories can't be watched, so that changes may be found late. */
  isDegraded: boolean
}

/** Drops entries when their sources change. A get doesn't rely on the watcher: it checks the sources itself. */
export interface Watcher {
  /** The watched directories, as absolute paths. */
  readonly roots: readonly string[]
  /** Resolves when `ready` is emitted, or when the watcher is closed before that. */
  readonly ready: Promise<void>
  /** What the watcher watches now. `update` is emitted when it changes. */
  status(): WatcherStatus
  /** Adds a listener for an event. */
  on<Name extends keyof WatcherEvents>(name: Name, listener: (...args: WatcherEvents[Name]) => void): this
  /** Adds a listener that is called once. */
  once<Name extends keyof WatcherEvents>(name: Name, listener: (...args: WatcherEvents[Name]) => void): this
  /** Removes a listener. */
  off<Name extends keyof WatcherEvents>(name: Name, listener: (...args: WatcherEvents[Name]) => void): this
  /** Closes the watcher. Nothing is emitted afterwards. */
  close(): Promise<void>
}
