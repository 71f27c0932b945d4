/** Why a read found nothing to return. */
export type MissReason =
  | 'never-set'
  | 'version-changed'
  | 'deleted'
  | 'invalidated'
  /** The entry is older than its ttl, or than the ttl that the caller asked for. */
  | 'expired'
  | 'source-changed'
  | 'source-missing'
  | 'source-appeared'
  /** An environment variable that the computation read has another value. */
  | 'environment-changed'
  /** Another entry that the computation read has another value, or is gone. */
  | 'entry-changed'
  /** The answer is valid only in another checkout or working directory. */
  | 'moved'
  /** The caller declared other `files` or `inputs` than the stored answer was computed for. */
  | 'question-changed'
  | 'blob-missing'
  | 'corrupt'
  | 'unreadable'
  /** A gc removed the entry, because the cache was over a limit or the entry had not been used for too long. */
  | 'evicted'
  /** The namespace's `validate` refused the stored value. */
  | 'invalid'
  /** The entry was stored before a cache with the mode `'refresh'` was opened. */
  | 'refresh'
  /** The working directory belongs to no project, so nothing is kept for it. */
  | 'no-project'

/** Why an input makes an answer stale. */
export type StaleReason = Extract<
  MissReason,
  | 'expired'
  | 'source-changed'
  | 'source-missing'
  | 'source-appeared'
  | 'environment-changed'
  | 'entry-changed'
  | 'moved'
  | 'evicted'
  | 'unreadable'
>
