// Finds the inputs of an entry that can be watched, and their paths.

import { type Input, lookOf } from '../inputs/input.js'
import type { Asker } from '../inputs/snapshot.js'
import { resolvePath } from '../project/paths.js'

/** Loads the inputs of a list. */
export interface Lists {
  load(id: string): readonly Input[] | undefined
}

/** The files and directories among the inputs, including those in lists. */
export function fileInputs(inputs: readonly Input[], lists: Lists, seen = new Set<string>()): Input[] {
  return inputs.flatMap(input => {
    const look = lookOf(input.kind)
    if (look === 'file' || look === 'present' || look === 'glob') return input
    if (look !== 'list' || seen.has(input.path)) return []
    seen.add(input.path)
    return fileInputs(lists.load(input.path) ?? [], lists, seen)
  })
}

/** The absolute path of an input; undefined if it isn't known. */
export function pathOf(input: Input, { dir, file }: Asker): string | undefined {
  return input.path === '' && lookOf(input.kind) === 'file' ? file : resolvePath(input, dir)
}
