// The main path of `getOrSet`, `analyze` and `wrap`: a question is answered from the cache or by computing.
//
// A computation that asks a question inherits the inputs of the answer, whether it was stored, computed now, or computed for
// another caller. So a stored result depends on everything that was read on the way to it.

import { isCacheBroken, isStackOverflow } from '../base/errors.js'
import type { Entries } from '../entries/entries.js'
import type { Computation } from './computation.js'
import { answerByComputing, answerByComputingSync, computePlainly } from './compute.js'
import { currentFrame } from './frame.js'
import { hit, lookUp, traced } from './hit.js'
import type { Ask } from './question.js'
import { enterAsync, leaveAsync } from './run-in-frame.js'
import { computeUncached } from './uncached.js'

/** @throws what `compute` throws */
export async function ask(entries: Entries, question: Ask): Promise<unknown> {
  const frame = currentFrame()
  const parent = frame?.computation
  try {
    if (frame?.isPlain) return await computePlainly(entries, question, false)
    traced(entries, question)
    return await answerTo(entries, question, parent)
  } catch (error) {
    if (isCacheBroken(error)) return answerOtherwise(entries, question, error)
    if (frame?.isPlain || parent || !isStackOverflow(error)) throw error
    enterAsync()
    try {
      return await computePlainly(entries, question, false)
    } finally {
      leaveAsync()
    }
  }
}

async function answerTo(entries: Entries, question: Ask, parent: Computation | undefined): Promise<unknown> {
  // The working directory may change before there is a result.
  question.place = parent?.recorder.workingDirectory
  const found = lookUp(entries, question)
  if (found.reason === undefined) return hit(entries, question, found, parent)
  return answerByComputing(entries, question, found, parent)
}

/** @throws the same */
export function askSync(entries: Entries, question: Ask): unknown {
  const frame = currentFrame()
  const parent = frame?.computation
  try {
    if (frame?.isPlain) return computePlainly(entries, question, true)
    traced(entries, question)
    return answerToSync(entries, question, parent)
  } catch (error) {
    if (isCacheBroken(error)) return answerOtherwise(entries, question, error)
    if (frame?.isPlain || parent || !isStackOverflow(error)) throw error
    return computePlainly(entries, question, true)
  }
}

function answerToSync(entries: Entries, question: Ask, parent: Computation | undefined): unknown {
  const found = lookUp(entries, question)
  if (found.reason === undefined) return hit(entries, question, found, parent)
  return answerByComputingSync(entries, question, found, parent)
}

/** Where a part of the library can't be loaded: what was computed, or is now. The author's function is called once at most. */
function answerOtherwise(entries: Entries, question: Ask, error: unknown): unknown {
  const { computed, hasBegun, analyzed, files, onResult } = question
  if (hasBegun && !computed) throw error
  entries.store.report(error)
  if (computed) return computed.value
  const said = { files: files.map(({ given }) => given), onResult }
  return computeUncached(entries, context => question.compute(context), said, analyzed)
}
