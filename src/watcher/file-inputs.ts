// Which of an entry's inputs can be watched, and where they are.

import { type Input, lookOf } from '../inputs/input.js'
import type { Asker } from '../inputs/snapshot.js'
import { resolvePath } from '../project/paths.js'

/** What loads the inputs of a list. */
export interface Lists {
  load(id: string): readonly Input[] | undefined
}

/** The files and directories among inputs, those of lists included. */
export function fileInputs(inputs: readonly Input[], lists: Lists, seen = new Set<string>()): Input[] {
  return inputs.flatMap(input => {
    const look = lookOf(input.kind)
    if (look === 'file' || look === 'present' || look === 'glob') return input
    if (look !== 'list' || seen.has(input.path)) return []
    seen.add(input.path)
    return fileInputs(lists.load(input.path) ?? [], lists, seen)
  })
}

/** Absolute; undefined where it is not known. */
export function pathOf(input: Input, { dir, file }: Asker): string | undefined {
  return input.path === '' && lookOf(input.kind) === 'file' ? file : resolvePath(input, dir)
}
