import type { CallResult, PathLike, SourceText } from '../api/index.js'
import type { Question } from '../entries/outcome.js'
import type { Input } from '../inputs/input.js'
import type { Snapshot } from '../inputs/snapshot.js'
import type { EntryKey } from '../manifest/records.js'
import type { Subject } from './context.js'
import type { GivenPath } from './paths.js'

/** What a computing call asks. */
export interface Ask extends Question {
  key: EntryKey
  /** The key of an entry that was set, if it differs from the computed one. */
  setKey?: EntryKey | undefined
  /** The caller's key, under which a value may also be set. */
  plainKey?: string
  /** The content that the key stands for. It is an input of the asking computation. */
  content?: Input | undefined
  /** How long after its ttl a result is returned while it is recomputed. */
  staleMs?: number | undefined
  /** The signal with which the caller may give up. */
  signal?: AbortSignal | undefined
  /** The working directory of the asking computation at the time of the question. */
  place?: Input | undefined
  /** Whether the question names a file by a relative path, which depends on the working directory. */
  namesRelative: boolean
  /** Whether answers are valid in every checkout. */
  isPortable: boolean
  /** Whether the answer isn't stored, because there is no project or an argument can't be part of a key. */
  isUnkept: boolean
  /** Whether the author promised portable results. Breaking the promise gives a warning. */
  isPromised: boolean
  files: readonly GivenPath[]
  /** Reads the analyzed file. */
  subject: ((snapshot: Snapshot) => Subject) | undefined
  /** The analyzed file as the caller gave it. */
  analyzed?: PathLike | SourceText | undefined
  onResult: ((result: CallResult) => void) | undefined
  compute(context: never): unknown
  /** Whether the author's function was called for this caller, and what it returned. */
  hasBegun?: boolean
  computed?: { value: unknown }
  /** While questions are traced: when the question was asked, in s of the process's life, and what made the entry stale. */
  tracedAt?: number
  changed?: Input | undefined
}
