// Analyses that a client computes. It passes the result together with the text that it was computed from, so that an old
// result is never stored for a file's new content.

import { statSync } from 'node:fs'
import type { Namespace } from '../../src/index.js'

export interface Analysis {
  name: string
  file: string
  /** The file's content; if it is missing, the file is read. */
  source?: string
  inputs?: unknown
}

/** Thrown out of the computation that would start because there is no result. */
class NotThere extends Error {}

/** The stored result; undefined if there is none or the file can't be read. */
export function getAnalysis(json: Namespace<Uint8Array>, analysis: Analysis): Uint8Array | undefined {
  const { name, file, source, inputs } = analysis
  try {
    // A device may have no end, and reading a pipe may take for ever.
    if (source === undefined && !statSync(file).isFile()) return undefined
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

/** Stores the result of a text, unless there is one. Returns whether there was one. */
export function setAnalysis(json: Namespace<Uint8Array>, analysis: Analysis, value: Uint8Array): boolean {
  const { name, file, source = '', inputs } = analysis
  let existed = false
  json.analyzeSync(
    name,
    { path: file, source },
    context => {
      // A result that contains the project's path is valid in that checkout only. JSON escapes may hide the path.
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
