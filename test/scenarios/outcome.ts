// What came of a step, as plain data that can be handed to another process.

import type { EntryInfo } from '../../src/index.js'
import type { ActorStep } from './format.js'

export type Found = { value: unknown } | { miss: true }
export type Listed = Omit<EntryInfo, 'expiresAt'> & { expiresInMs?: number }

/** How a computation was answered. */
export interface Asked {
  /** What it gave, or the code of the error, or its message where it has none. */
  value?: string
  fails?: string
  reason?: string
  files?: string[]
}

export interface Warned {
  code: string
  message: string
}

/** A step that was taken inside another one. */
export interface InnerOutcome {
  place: string
  step: ActorStep
  outcome: Outcome
}

export interface Outcome {
  result?: unknown
  /** An error of the library. */
  error?: { code: string; message: string }
  /** Why the step could not be taken. */
  problem?: string
  /** What the cache warned of during the step, and before it in this process. */
  warnings: Warned[]
  warnedBefore: string[]
  /** The computations whose functions were called, in order. */
  computed: string[]
  inner: InnerOutcome[]
  /** The steps `while computing` that were taken, by their computations' names. */
  taken: string[]
}
