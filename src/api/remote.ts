// The remote tier: what a team's machines share, on an engine that it already runs.

/** `'off'`: never asked. `'read'`: asked for answers. `'readwrite'`: also given the answers that are computed here. */
export type RemoteMode = 'off' | 'read' | 'readwrite'

/**
 * Where answers to portable questions are shared. Each setting goes before that of the environment, which goes before that of
 * `config.json` in the root directory; a file in a repository is never read.
 */
export interface RemoteOptions {
  /**
   * `https://host/path` (WebDAV), `bazel+https:`, `turbo+https:`, `nx+https:`, `redis:`, `rediss:`, `s3://bucket/prefix`,
   * `file:///share`. Default: `$WICKED_CACHE_REMOTE`.
   */
  url?: string
  /** In place of a URL: an adapter of your own, or of `fromKeyv` or `fromUnstorage`. */
  adapter?: RemoteAdapter
  /** Default: `$WICKED_CACHE_REMOTE_MODE`, else `'read'`. Where the two differ, the more restrictive one counts. */
  mode?: RemoteMode
  /** `'signed'`: answers need the signature of one of `keys`. `'store'`: whoever can write to the store is trusted. Default: `'signed'`. */
  trust?: 'signed' | 'store'
  /** Public keys, as `wicked-cache remote keygen` prints them. Default: `$WICKED_CACHE_REMOTE_KEYS`, separated by commas. */
  keys?: readonly string[]
  /** The secret key that answers are signed with. Default: `$WICKED_CACHE_REMOTE_SIGNING_KEY`. */
  signingKey?: string
  /** A bearer token, or the password of Redis. Default: `$WICKED_CACHE_REMOTE_TOKEN`. */
  token?: string
  /** Answers of other scopes are never found: for teams that share a store. Default: `''`. */
  scope?: string
  /** Bump it to find nothing that was stored before. Default: `''`. */
  epoch?: string
  /** ms, or durations such as `'2s'`. Default: `{ connect: 250, read: 1000, upload: 5000 }`. */
  timeouts?: { connect?: number | string; read?: number | string; upload?: number | string }
  /** Larger answers are neither stored nor taken: bytes, or a size such as `'4MB'`. Default: `'1MB'`. */
  maxObject?: number | string
}

/**
 * A store of objects by name: 64 hexadecimal digits. Objects never change but for being replaced by others that are as good.
 * Calls are given up when their signal is aborted.
 */
export interface RemoteAdapter {
  /** The objects, undefined for those that are not there. A rejection says that the store can't be asked now. */
  getMany(names: readonly string[], signal: AbortSignal): Promise<readonly (Uint8Array | undefined)[]>
  /** Stores an object, or replaces it. A rejection says that it was not stored. */
  put(name: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>
  /** Called once, when the cache is closed. */
  close(): void | Promise<void>
  /** How many names `getMany` is given at most. Default: 256. */
  readonly maxBatch?: number
}

/** What is known of the remote tier. */
export interface RemoteStatus {
  /** Without credentials; undefined where none is configured. */
  url?: string
  /** What it may be used for. */
  mode: RemoteMode
  /** Whose answers are believed; undefined where none is configured. */
  trust?: 'signed' | 'store'
  /** Whether answers that are computed here are stored there. */
  canWrite: boolean
  /** `'open'`: it failed lately and isn't asked. */
  breaker: 'closed' | 'open'
  /** When it is asked again, ms since the epoch. */
  openUntil?: number
  /** Why it isn't asked any more by this process. */
  problem?: string
  /** How long it took to answer, in ms; undefined where it didn't. */
  pingMs?: number
}

/** What all processes have asked and given the remote tier. */
export interface RemoteCounts {
  /** Answers that were found there and used. */
  hits: number
  /** Questions that had no answer there. */
  misses: number
  /** Questions that were not answered in time. */
  errors: number
  /** Objects that were no valid answer. */
  rejected: number
  /** Questions that were not asked: the breaker was open, or computing is faster. */
  skipped: number
  /** Answers that were stored there. */
  uploads: number
  /** Answers that could not be stored there. */
  dropped: number
  /** Bytes of objects that were received. */
  bytesIn: number
  /** Bytes of objects that were sent. */
  bytesOut: number
  /**
   * How long the store took for half of its answers at most, in ms, hits and misses alike; undefined before the first one. Times
   * between 0.13 ms and 65 s are kept in ranges, so this is up to 19 % more or less than it was.
   */
  p50?: number
  /** How long it took for 95 % of them at most, as exactly. */
  p95?: number
}

/** What all processes have asked and given the remote tier, and which stores have failed them lately. */
export interface RemoteTotals extends RemoteCounts {
  /** `'open'`: a store failed lately and is left alone by all processes. */
  breaker: 'closed' | 'open'
  /** Stores that have not answered since they failed, in the last 10 minutes, the latest first. */
  failing: RemoteFailing[]
}

/** A store that failed lately, as processes have told each other. */
export interface RemoteFailing {
  /** Without credentials. */
  url: string
  /** `'open'`: it is left alone, after three failures. */
  breaker: 'closed' | 'open'
  /** When it is asked again, ms since the epoch; undefined where the breaker is closed. */
  openUntil?: number
  /** How often it failed in turn, in all processes. */
  failures: number
  /** When it failed last, ms since the epoch. */
  failedAt: number
  /** What was wrong then, without credentials. */
  lastError: string
}

/** What this process has asked and given the remote tier. */
export interface RemoteStats {
  /** Answers that were found there and used. */
  hits: number
  /** Questions that had no answer there. */
  misses: number
  /** Answers that were not there to be had in time. */
  errors: number
  /** Objects that were no valid answer, by reason. */
  rejected: Record<string, number>
  /** Questions that were not asked: the breaker was open, or computing is faster. */
  skipped: number
  /** Answers that were stored there. */
  uploads: number
  /** Answers that could not be stored there. */
  dropped: number
  /** Bytes of objects that were received. */
  bytesIn: number
  /** Bytes of objects that were sent. */
  bytesOut: number
  /** How long batches took, in ms; undefined before the first one. */
  p50?: number
  /** How long the slow ones took: 95 % took less, in ms. */
  p95?: number
  /** `'open'`: it failed lately and isn't asked. */
  breaker: 'closed' | 'open'
}

/** What `push` and `pull` transfer, and to where. */
export interface RemoteTransferOptions {
  /** Default: all namespaces. */
  namespace?: string
  /** The directory of the checkout that the files of answers are looked at in. Default: that of the working directory. */
  project?: string
  /** A file, in place of the store. */
  bundle?: string
  /** Ends it early: the promise rejects with the signal's reason. */
  signal?: AbortSignal
  /** Called now and then, with numbers of answers. */
  onProgress?: (progress: { done: number; total: number }) => void
}

/** What a push or a pull came to, in answers. */
export interface RemoteTransfer {
  /** Answers that are now there, or here. */
  transferred: number
  /** They are there already, hold elsewhere only, or can't be shared. */
  skipped: number
  /** Of a pull: no valid answers. Of a push: the store didn't take them. */
  rejected: number
  /** Bytes of the objects that were transferred. */
  bytes: number
}

/** A portable question: a key of `getOrSet`, or the name and the file of an analysis. */
export interface RemoteQuestion {
  /** Its name. */
  namespace: string
  /** Of the namespace. Default: `''`. */
  version?: string
  /** The directory of the checkout. Default: that of the working directory. */
  project?: string
  /** A key of `getOrSet`. */
  key?: string
  /** The name of an analysis. */
  name?: string
  /** The file of an analysis. */
  file?: string
}

/** What the store said to a question. */
export interface RemoteExplanation {
  /**
   * `hit`: there is an answer that holds here. `miss`: there is none, or it holds elsewhere only. `error`, `skipped`: the store
   * could not, or should not, be asked now. `rejected: REASON`: it has no valid answer. `not asked`: there is no such file, or no project.
   */
  said: string
  /** When the answer was computed, ms since the epoch. */
  createdAt?: number
}

/** What a command or a test does with the remote tier; caches ask and fill it on their own. */
export interface Remote {
  /** Asks the store for a name that isn't there. */
  status(): Promise<RemoteStatus>
  /** What this process has asked and given by now. */
  stats(): RemoteStats
  /**
   * Stores the valid portable answers of this cache there, or in a bundle.
   *
   * @throws CacheError `ERR_CACHE_REMOTE`, `ERR_CACHE_OPTION`; errors of writing the bundle
   */
  push(options?: RemoteTransferOptions): Promise<RemoteTransfer>
  /**
   * Asks for the portable answers that this cache has questions of and no valid answer, or takes those of a bundle.
   *
   * @throws CacheError `ERR_CACHE_REMOTE`, `ERR_CACHE_OPTION`; errors of reading the bundle
   */
  pull(options?: RemoteTransferOptions): Promise<RemoteTransfer>
  /**
   * Asks the store one question now. Its answer is not kept. Declared files and inputs are those of the entry that is stored here.
   *
   * @throws CacheError `ERR_CACHE_OPTION`, `ERR_CACHE_KEY`, `ERR_CACHE_NAMESPACE`
   * @example
   * await cache.remote?.explain({ namespace: 'tool', name: 'imports', file: 'src/a.js' }) // { said: 'miss' }
   */
  explain(question: RemoteQuestion): Promise<RemoteExplanation>
  /** Resolves once what is to be stored there is, after 5 s at most. */
  flush(): Promise<void>
}

/** A pair of keys for the remote tier. */
export interface RemoteKeys {
  /** For readers: not secret. */
  publicKey: string
  /** For those who store answers. */
  signingKey: string
}
