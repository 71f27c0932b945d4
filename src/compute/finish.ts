// Turns the result of a computation into an answer: encodes it and stores it with its inputs.

import { CacheError } from '../base/errors.js'
import type { Entries } from '../entries/entries.js'
import { foldedInputs } from '../entries/folded-inputs.js'
import { inputOf } from '../inputs/input.js'
import { labelOf } from '../manifest/owner.js'
import { commit, isBoundToProject } from './commit.js'
import type { Computation, Result } from './computation.js'
import type { Ask } from './question.js'

/** The value, with its bytes and its answer if it can be stored. */
export function finish(
  entries: Entries,
  question: Ask,
  computation: Computation,
  value: unknown,
  computeMs: number,
): Result {
  const { recorder } = computation
  const unstored = { value, bytes: undefined, answer: undefined, computeMs }
  if (value === undefined) return unstored
  const bytes = encoded(entries, question, value)
  if (!bytes) return unstored
  if (!recorder.isRecordable || !computation.isStorable || question.isUnkept) return unstored
  if (question.isPortable && isBoundToProject(entries, question, recorder, bytes)) {
    recorder.add(inputOf('checkout', entries.project?.dir ?? ''))
  }
  const { epoch } = computation
  const isStored = epoch !== undefined
  const fold = () => (isStored ? foldedInputs(entries.store, recorder.inputs) : recorder.inputs)
  const inputs = entries.attempt(undefined, fold)
  if (!inputs) return unstored
  const endsAt = entries.store.now() + (question.ttlMs ?? Infinity)
  const answer = { inputs, expiresAt: Math.min(recorder.expiresAt, endsAt) }
  // The results that it was computed from expire then.
  const staleMs = recorder.expiresAt < endsAt ? 0 : (question.staleMs ?? 0)
  if (isStored) computation.isCommitted = commit(entries, { question, epoch, answer, bytes, computeMs, staleMs })
  return { value, bytes, answer, computeMs }
}

/** A result that can't be stored is still returned. */
function encoded(entries: Entries, question: Ask, value: unknown): Buffer | undefined {
  try {
    return Buffer.from(entries.encoder.encodeValue(value))
  } catch (error) {
    if (!(error instanceof CacheError)) throw error
    const { code, value: part } = error
    const label = labelOf(entries.store.manifest.partsOf(question.key))
    const where = `${JSON.stringify(label)} in the namespace ${JSON.stringify(entries.store.name)}`
    const message = `What is computed for ${where} is computed each time: ${error.message}`
    entries.store.report(new CacheError(code, message, { value: part, cause: error }))
    return undefined
  }
}
