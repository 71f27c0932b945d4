// The files that a caller declares as sources of an entry.

import type { GivenPath } from '../compute/paths.js'
import type { Entries } from '../entries/entries.js'
import { type Input, inputOf, NO_DIGEST } from '../inputs/input.js'
import type { Snapshot } from '../inputs/snapshot.js'
import { isImpossible } from '../inputs/source.js'
import { recordPath } from '../project/paths.js'

/** The current states of the files. */
export function inputsOf(entries: Entries, files: readonly GivenPath[], snapshot: Snapshot): Input[] {
  return files.flatMap(({ absolute, isThroughLink }) => {
    // No file can ever have this path.
    if (isImpossible(absolute) && !isThroughLink) return []
    const { path, isRelative } = recordPath(entries.project, absolute)
    const look = () => (isThroughLink ? undefined : snapshot.source(absolute).input())
    const input = entries.attempt(undefined, look)
    // Unrecordable inputs are always stale.
    return { ...(input ?? inputOf('error', '', false, NO_DIGEST, 'unrecordable')), path, isRelative }
  })
}
