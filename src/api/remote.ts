// The remote tier: what a team's machines share, on an engine that it already runs.

/** `'off'`: never asked. `'read'`: asked for answers. `'readwrite'`: also given the answers that are computed here. */
export type RemoteMode = 'off' | 'read' | 'readwrite'

/**
 * Options of the remote tier, which shares answers to portable questions. An option overrides the environment, and the
 * environment overrides `config.json` in the root directory. Files in a repository are never read.
 */
export interface RemoteOptions {
  /**
   * `https://host/path` (WebDAV), `bazel+https:`, `turbo+https:`, `nx+https:`, `redis:`, `rediss:`, `s3://bucket/prefix`,
   * `file:///share`. Default: `$WICKED_CACHE_REMOTE`.
   */
  url?: string
  /** An adapter instead of a URL: your own, or one made by `fromKeyv` or `fromUnstorage`. */
  adapter?: RemoteAdapter
  /** Default: `$WICKED_CACHE_REMOTE_MODE`, else `'read'`. If both are given, the more restrictive one applies. */
  mode?: RemoteMode
  /**
   * `'signed'`: answers need the signature of one of `keys`. `'store'`: trusts everyone who can write to the store. Default:
   * `'signed'`.
   */
  trust?: 'signed' | 'store'
  /** Public keys, as `wicked-cache remote keygen` prints them. Default: `$WICKED_CACHE_REMOTE_KEYS`, separated by commas. */
  keys?: readonly string[]
  /** The secret key that answers are signed with. Default: `$WICKED_CACHE_REMOTE_SIGNING_KEY`. */
  signingKey?: string
  /** A bearer token, or the password of Redis. Default: `$WICKED_CACHE_REMOTE_TOKEN`. */
  token?: string
  /** Answers of another scope are never found. For teams that share a store. Default: `''`. */
  scope?: string
  /** Bump it to ignore everything that was stored before. Default: `''`. */
  epoch?: string
  /** ms, or durations such as `'2s'`. Default: `{ connect: 250, read: 1000, upload: 5000 }`. */
  timeouts?: { connect?: number | string; read?: number | string; upload?: number | string }
  /** Larger answers are neither stored nor accepted: bytes, or a size such as `'4MB'`. Default: `'1MB'`. */
  maxObject?: number | string
}

/**
 * A store of objects, each under a name of 64 hexadecimal digits. An object may only be replaced by one that is as valid. A
 * call ends early when its signal is aborted.
 */
export interface RemoteAdapter {
  /** Returns the objects, with undefined for those that are missing. Rejects if the store can't be reached. */
  getMany(names: readonly string[], signal: AbortSignal): Promise<readonly (Uint8Array | undefined)[]>
  /** Stores or replaces an object. Rejects if it was not stored. */
  put(name: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>
  /** Called once, when the cache is closed. */
  close(): void | Promise<void>
  /** How many names `getMany` is given at most. Default: 256. */
  readonly maxBatch?: number
}

/** The state of the remote tier. */
export interface RemoteStatus {
  /** The URL of the store, without credentials; undefined if none is configured. */
  url?: string
  /** Whether answers are read from the store, or also written to it. */
  mode: RemoteMode
  /** Which answers are trusted; undefined if no remote is configured. */
  trust?: 'signed' | 'store'
  /** Whether answers that are computed here are stored in the remote. */
  canWrite: boolean
  /** The state of the circuit breaker. `'open'`: the store failed recently and isn't asked. */
  breaker: 'closed' | 'open'
  /** When the store is asked again, ms since the epoch. */
  openUntil?: number
  /** Why this process has stopped asking the store. */
  problem?: string
  /** How long the store took to answer, in ms; undefined if it didn't. */
  pingMs?: number
}

/** Requests of all processes to the remote tier. */
export interface RemoteCounts {
  /** Answers that were found in the store and used. */
  hits: number
  /** Questions that had no answer in the store. */
  misses: number
  /** Questions that were not answered in time. */
  errors: number
  /** Objects that were not valid answers. */
  rejected: number
  /** Questions that were not asked: the breaker was open, or computing is faster. */
  skipped: number
  /** Answers that were stored in the remote. */
  uploads: number
  /** Answers that could not be stored in the remote. */
  dropped: number
  /** Bytes of objects that were received. */
  bytesIn: number
  /** Bytes of objects that were sent. */
  bytesOut: number
  /**
   * How long the store took for half of its answers at most, in ms, hits and misses alike; undefined before the first one.
   * Times between 0.13 ms and 65 s are kept in ranges, so this is up to 19 % more or less than it was.
   */
  p50?: number
  /** The 95th percentile, with the same precision. */
  p95?: number
}

/** Requests of all processes to the remote tier, and the stores that failed recently. */
export interface RemoteTotals extends RemoteCounts {
  /** `'open'`: a store failed recently, and no process asks it. */
  breaker: 'closed' | 'open'
  /** Stores that failed in the last 10 minutes and haven't answered since, latest first. */
  failing: RemoteFailing[]
}

/** A store that failed recently in this or another process. */
export interface RemoteFailing {
  /** The store's URL without credentials. */
  url: string
  /** `'open'`: no process asks it, after three failures. */
  breaker: 'closed' | 'open'
  /** When it will be asked again, ms since the epoch; undefined if the breaker is closed. */
  openUntil?: number
  /** How often it failed in a row, in all processes. */
  failures: number
  /** Time of the last failure, ms since the epoch. */
  failedAt: number
  /** What went wrong then, without credentials. */
  lastError: string
}

/** Requests of this process to the remote tier. */
export interface RemoteStats {
  /** Answers that were found in the store and used. */
  hits: number
  /** Questions that had no answer in the store. */
  misses: number
  /** Questions that were not answered in time. */
  errors: number
  /** Objects that were not valid answers, by reason. */
  rejected: Record<string, number>
  /** Questions that were not asked: the breaker was open, or computing is faster. */
  skipped: number
  /** Answers that were stored in the remote. */
  uploads: number
  /** Answers that could not be stored in the remote. */
  dropped: number
  /** Bytes of objects that were received. */
  bytesIn: number
  /** Bytes of objects that were sent. */
  bytesOut: number
  /** Median time that a batch took, in ms; undefined before the first one. */
  p50?: number
  /** 95th percentile of the time that a batch took, in ms. */
  p95?: number
  /** The state of the circuit breaker. `'open'`: the store failed recently and isn't asked. */
  breaker: 'closed' | 'open'
}

/** Options of `push` and `pull`. */
export interface RemoteTransferOptions {
  /** Default: all namespaces. */
  namespace?: string
  /** The checkout in which the files of the answers are checked. Default: the checkout of the working directory. */
  project?: string
  /** A bundle file to use instead of the store. */
  bundle?: string
  /** Aborts the transfer: the promise rejects with the signal's reason. */
  signal?: AbortSignal
  /** Called from time to time with the number of answers done and in all. */
  onProgress?: (progress: { done: number; total: number }) => void
}

/** The outcome of a push or a pull, as numbers of answers. */
export interface RemoteTransfer {
  /** Answers that were transferred. */
  transferred: number
  /** Answers that were left out: the target has them already, they are not valid here, or they can't be shared. */
  skipped: number
  /** Answers that failed. In a pull they were not valid, in a push the store didn't accept them. */
  rejected: number
  /** Bytes of the objects that were transferred. */
  bytes: number
}

/** A portable question: a key of `getOrSet`, or the name and the file of an analysis. */
export interface RemoteQuestion {
  /** The name of the namespace. */
  namespace: string
  /** The version of the namespace. Default: `''`. */
  version?: string
  /** The directory of the checkout. Default: the checkout of the working directory. */
  project?: string
  /** A key of `getOrSet`. */
  key?: string
  /** The name of an analysis. */
  name?: string
  /** The file of an analysis. */
  file?: string
}

/** What the store answered to a question. */
export interface RemoteExplanation {
  /**
   * `hit`: the store has an answer that is valid here. `miss`: it has none, or only one that is valid elsewhere. `error`: the
   * store could not be reached. `skipped`: it should not be asked now. `rejected: REASON`: the answer was not valid. `not
   * asked`: there is no such file, or no project.
   */
  said: string
  /** When the answer was computed, ms since the epoch. */
  createdAt?: number
}

/** What commands and tests can do with the remote tier. Caches read and fill it on their own. */
export interface Remote {
  /** Tests the connection: asks the store for a name that it doesn't have. */
  status(): Promise<RemoteStatus>
  /** Returns the requests of this process so far. */
  stats(): RemoteStats
  /**
   * Copies this cache's valid portable answers to the store, or into a bundle.
   *
   * @throws CacheError `ERR_CACHE_REMOTE`, `ERR_CACHE_OPTION`; errors of writing the bundle
   */
  push(options?: RemoteTransferOptions): Promise<RemoteTransfer>
  /**
   * Fetches portable answers for the questions that this cache knows but has no valid answer to, from the store or from a
   * bundle.
   *
   * @throws CacheError `ERR_CACHE_REMOTE`, `ERR_CACHE_OPTION`; errors of reading the bundle
   */
  pull(options?: RemoteTransferOptions): Promise<RemoteTransfer>
  /**
   * Asks the store one question now, without keeping the answer. Declared files and inputs are taken from the entry that is
   * stored here.
   *
   * @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_KEY`, `ERR_CACHE_NAMESPACE`
   * @example
   * await cache.remote?.explain({ namespace: 'tool', name: 'imports', file: 'src/a.js' }) // { said: 'miss' }
   */
  explain(question: RemoteQuestion): Promise<RemoteExplanation>
  /** Resolves once pending answers are stored in the remote, after at most 5 s. */
  flush(): Promise<void>
}

/** A pair of keys for the remote tier. */
export interface RemoteKeys {
  /** The public key, for machines that read answers. Not secret. */
  publicKey: string
  /** The secret key, for machines that store answers. */
  signingKey: string
}
