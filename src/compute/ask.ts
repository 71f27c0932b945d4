// The main path of `getOrSet`, `analyze` and `wrap`: a question is answered from the cache or by computing.
//
// A computation that asks a question inherits the inputs of the answer, whether it was stored, computed now, or computed for
// another caller. So a stored result depends on everything that was read on the way to it.

import { isStackOverflow } from '../base/errors.js'
import type { Entries } from '../entries/entries.js'
import type { Computation } from './computation.js'
import { answerByComputing, answerByComputingSync, computePlainly } from './compute.js'
import { currentFrame } from './frame.js'
import { hit, lookUp, traced } from './hit.js'
import type { Ask } from './question.js'
import { enterAsync, leaveAsync } from './run-in-frame.js'

/** @throws what `compute` throws */
export async function ask(entries: Entries, question: Ask): Promise<unknown> {
  const frame = currentFrame()
  if (frame?.isPlain) return computePlainly(entries, question, false)
  const parent = frame?.computation
  traced(entries, question)
  if (parent) return answerTo(entries, question, parent)
  try {
    return await answerTo(entries, question, undefined)
  } catch (error) {
    if (!isStackOverflow(error)) throw error
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
  if (frame?.isPlain) return computePlainly(entries, question, true)
  const parent = frame?.computation
  traced(entries, question)
  if (parent) return answerToSync(entries, question, parent)
  try {
    return answerToSync(entries, question, undefined)
  } catch (error) {
    if (!isStackOverflow(error)) throw error
    return computePlainly(entries, question, true)
  }
}

function answerToSync(entries: Entries, question: Ask, parent: Computation | undefined): unknown {
  const found = lookUp(entries, question)
  if (found.reason === undefined) return hit(entries, question, found, parent)
  return answerByComputingSync(entries, question, found, parent)
}
