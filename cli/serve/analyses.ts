// Results that belong to what a file holds. The client computes. With a result it gives the text that it computed it from, so
// that a file which changes meanwhile can't lend its new content to an old result.

import type { Namespace } from '../../src/index.js'

export interface Analysis {
  name: string
  file: string
  /** What the file holds; without it, the file is read. */
  source?: string
  inputs?: unknown
}

/** Thrown out of a computation that is asked for because there is no result. */
class NotThere extends Error {}

/** The stored result; undefined where there is none, or where the file can't be read. */
export function getAnalysis(json: Namespace<Uint8Array>, analysis: Analysis): Uint8Array | undefined {
  const { name, file, source, inputs } = analysis
  try {
    return json.analyzeSync<Uint8Array>(
      name,
      source === undefined ? file : { path: file, source },
      () => {
        throw new NotThere()
      },
      { inputs },
    )
  } catch (error) {
    if (error instanceof NotThere || (error instanceof Error && 'syscall' in error)) return undefined
    throw error
  }
}

/** Stores the result of a text, unless there is one; returns whether there was. */
export function setAnalysis(json: Namespace<Uint8Array>, analysis: Analysis, value: Uint8Array): boolean {
  const { name, file, source = '', inputs } = analysis
  let existed = false
  json.analyzeSync(
    name,
    { path: file, source },
    context => {
      // A result that holds its project's path counts in that checkout only, and escapes in the JSON may hide it.
      if (!/^[ -[\]-~]*$/.test(json.project ?? '')) void context.path
      return value
    },
    {
      inputs,
      onResult: ({ isHit }) => {
        existed = isHit
      },
    },
  )
  return existed
}
