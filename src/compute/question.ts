import type { CallResult } from '../api/index.js'
import type { Question } from '../entries/outcome.js'
import type { Input } from '../inputs/input.js'
import type { Snapshot } from '../inputs/snapshot.js'
import type { EntryKey } from '../manifest/records.js'
import type { Subject } from './context.js'
import type { GivenPath } from './paths.js'

/** What a computing call asks. */
export interface Ask extends Question {
  key: EntryKey
  /** Of an entry that was set, where that is another one. */
  setKey?: EntryKey | undefined
  /** The caller's key: a value may be set under it. */
  plainKey?: string
  /** The content that the key stands for: it is an input of the computation that asks. */
  content?: Input | undefined
  /** How long after its ttl a result is returned while it is computed anew. */
  staleMs?: number | undefined
  /** Of the caller, who may give up. */
  signal?: AbortSignal | undefined
  /** The working directory as the computation sees it that asks, when it asks. */
  place?: Input | undefined
  /** Whether it names a file by a relative path: which one depends on the working directory. */
  namesRelative: boolean
  /** Whether answers count in every checkout. */
  isPortable: boolean
  /** Whether nothing is kept: there is no project, or an argument can't be part of a key. */
  isUnkept: boolean
  /** Whether the author promised that results are portable: breaking it is worth a warning. */
  isPromised: boolean
  files: readonly GivenPath[]
  /** Reads the analyzed file. */
  subject: ((snapshot: Snapshot) => Subject) | undefined
  onResult: ((result: CallResult) => void) | undefined
  compute(context: never): unknown
  /** When it was asked, in s of the process's life, and what made the entry stale: while questions are traced. */
  tracedAt?: number
  changed?: Input | undefined
}
