// Finds the stored answer to a question, decodes it for the caller, and reports how the call was answered.

import type { MissReason } from '../api/index.js'
import type { Entries } from '../entries/entries.js'
import { filesOf } from '../entries/files-of.js'
import { type Hit, missing, type Outcome } from '../entries/outcome.js'
import { callOf, type Traced, trace } from '../entries/trace.js'
import { reportNoProject } from '../entries/write.js'
import { blobLength } from '../packs/blob.js'
import type { Answer, Computation } from './computation.js'
import { handOn } from './hand-on.js'
import type { Ask } from './question.js'

export function lookUp(entries: Entries, question: Ask): Outcome {
  if (question.isUnkept) {
    if (entries.hasKeys || entries.store.mode === 'off') return missing('never-set')
    reportNoProject(entries.store)
    return missing('no-project')
  }
  // A value that was set in this checkout wins over one that was computed for all checkouts.
  const set = question.setKey && entries.find(question.setKey, question)
  return set && set.reason === undefined ? set : entries.find(question.key, question)
}

/** `askedAt` is given if the caller has waited for the result, in s of the process's life. */
export function hit(
  entries: Entries,
  question: Ask,
  { value, entry }: Hit,
  parent: Computation | undefined,
  isStale = false,
  askedAt?: number,
): unknown {
  countHit(entries, entry.computeMs, askedAt)
  const lifetimeMs = Math.min(entry.ttlMs ?? Number.POSITIVE_INFINITY, question.ttlMs ?? Number.POSITIVE_INFINITY)
  const answer = { inputs: entry.inputs ?? [], expiresAt: entry.createdAt + lifetimeMs }
  handOn(entries, question, parent, answer, entry)
  tell(entries, question, true, undefined, answer, entry.computeMs ?? 0, blobLength(entry.blob.id), isStale)
  return value
}

/** A caller that waited for the result has saved only the rest of the computation's time. */
export function countHit(entries: Entries, computeMs: number | undefined, askedAt?: number): void {
  const waitedMs = askedAt === undefined ? 0 : msSince(askedAt)
  if (computeMs !== undefined) entries.countTime('time-saved', computeMs - waitedMs)
  entries.count('hits')
}

/** Notes the time of the question, if questions are traced. */
export function traced(entries: Entries, question: Ask): void {
  if (entries.store.trace) question.tracedAt = process.uptime()
}

export function traceAnswer(
  entries: Entries,
  { key, tracedAt, changed }: Ask,
  answer: Pick<Traced, 'reason' | 'isStale' | 'computeMs' | 'sizeBytes' | 'inputs'>,
): void {
  if (tracedAt === undefined) return
  const call = callOf(entries.store, key)
  trace(entries, { key, call, ms: msSince(tracedAt), changed: answer.reason && changed, ...answer })
}

export function msSince(startedAt: number): number {
  return (process.uptime() - startedAt) * 1000
}

/** Tells the caller, and the trace, how the question was answered. */
export function tell(
  entries: Entries,
  question: Ask,
  isHit: boolean,
  reason: MissReason | undefined,
  { inputs }: Answer,
  computeMs: number,
  sizeBytes?: number,
  isStale = false,
): void {
  const { onResult, asker, content } = question
  traceAnswer(entries, question, { reason, isStale, computeMs, sizeBytes, inputs })
  if (!onResult) return
  const files = entries.attempt([], () => filesOf(entries.store, content ? [content, ...inputs] : inputs, asker))
  onResult({ isHit, ...(reason === undefined ? {} : { reason }), ...(isStale ? { isStale } : {}), files, computeMs })
}
