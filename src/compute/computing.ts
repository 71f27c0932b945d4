// The computing calls of a namespace, which `Namespace` in src/api describes. Processes that only get and set entries don't
// load this directory.

import type {
  AnalyzeContext,
  AnalyzeOptions,
  ComputeContext,
  GetOrSetOptions,
  PathLike,
  SourceText,
  WrapOptions,
} from '../api/index.js'
import type { Entries } from '../entries/entries.js'
import { ask, askSync } from './ask.js'
import { unlessAborted } from './giving-up.js'
import { analyzeQuestion, getOrSetQuestion, getOrSetSyncQuestion, wrapQuestions } from './parse-question.js'

export function getOrSet(
  entries: Entries,
  key: string,
  compute: (context: ComputeContext) => unknown,
  options?: GetOrSetOptions,
): Promise<unknown> {
  const question = getOrSetQuestion(entries, key, compute, options)
  return unlessAborted(question.signal, () => ask(entries, question))
}

export function getOrSetSync(
  entries: Entries,
  key: string,
  compute: (context: ComputeContext) => unknown,
  options?: GetOrSetOptions,
): unknown {
  return askSync(entries, getOrSetSyncQuestion(entries, key, compute, options))
}

export function analyze(
  entries: Entries,
  name: string,
  file: PathLike | SourceText,
  compute: (context: AnalyzeContext) => unknown,
  options?: AnalyzeOptions,
): Promise<unknown> {
  return ask(entries, analyzeQuestion(entries, name, file, compute, options))
}

export function analyzeSync(
  entries: Entries,
  name: string,
  file: PathLike | SourceText,
  compute: (context: AnalyzeContext) => unknown,
  options?: AnalyzeOptions,
): unknown {
  return askSync(entries, analyzeQuestion(entries, name, file, compute, options))
}

/** `entriesNow` returns the entries of the project at the time of a call. */
export function wrap<Args extends unknown[]>(
  entriesNow: () => Entries,
  name: string,
  fn: (...args: Args) => unknown,
  options?: WrapOptions<Args>,
): (...args: Args) => Promise<unknown> {
  const questionOf = wrapQuestions(entriesNow, name, fn, options)
  return async function wrapped(this: unknown, ...args: Args) {
    return ask(entriesNow(), questionOf(this, args))
  }
}

export function wrapSync<Args extends unknown[]>(
  entriesNow: () => Entries,
  name: string,
  fn: (...args: Args) => unknown,
  options?: WrapOptions<Args>,
): (...args: Args) => unknown {
  const questionOf = wrapQuestions(entriesNow, name, fn, options)
  return function wrapped(this: unknown, ...args: Args) {
    return askSync(entriesNow(), questionOf(this, args))
  }
}
