// The computing calls of a namespace, which `Namespace` in src/api describes. Each checks its arguments, and returns a function
// that asks. Processes that only get and set entries don't load this directory.

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
): () => Promise<unknown> {
  const question = getOrSetQuestion(entries, key, compute, options)
  return () => unlessAborted(question.signal, () => ask(entries, question))
}

export function getOrSetSync(
  entries: Entries,
  key: string,
  compute: (context: ComputeContext) => unknown,
  options?: GetOrSetOptions,
): () => unknown {
  const question = getOrSetSyncQuestion(entries, key, compute, options)
  return () => askSync(entries, question)
}

export function analyze(
  entries: Entries,
  name: string,
  file: PathLike | SourceText,
  compute: (context: AnalyzeContext) => unknown,
  options?: AnalyzeOptions,
): () => Promise<unknown> {
  const question = analyzeQuestion(entries, name, file, compute, options)
  return () => ask(entries, question)
}

export function analyzeSync(
  entries: Entries,
  name: string,
  file: PathLike | SourceText,
  compute: (context: AnalyzeContext) => unknown,
  options?: AnalyzeOptions,
): () => unknown {
  const question = analyzeQuestion(entries, name, file, compute, options)
  return () => askSync(entries, question)
}

/**
 * `entriesNow` returns the entries of the project at the time of a call. The returned function takes the `this` and the
 * arguments of a call.
 */
export function wrapped<Args extends unknown[]>(
  entriesNow: () => Entries,
  name: string,
  fn: (...args: Args) => unknown,
  options: WrapOptions<Args> | undefined,
  isSync: boolean,
): (self: unknown, args: Args) => () => unknown {
  const questionOf = wrapQuestions(entriesNow, name, fn, options)
  const answer = isSync ? askSync : ask
  return (self, args) => {
    const question = questionOf(self, args)
    return () => answer(entriesNow(), question)
  }
}
