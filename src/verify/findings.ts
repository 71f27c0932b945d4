// The findings so far. A damaged store may have one for each entry, so all are counted, but only the first ones are kept.

import { relative, sep } from 'node:path'
import type { Finding, Note, NoteKind, Problem, ProblemKind } from '../api/index.js'

const MAX_KEPT = 1000

/** A finding whose file is still an absolute path. */
export type Found<Kind extends ProblemKind | NoteKind> = Omit<Finding<Kind>, 'file' | 'bytes'> & {
  path: string
  bytes?: number
}

export class Findings {
  readonly problems: Problem[] = []
  readonly notes: Note[] = []
  problemCount = 0
  noteCount = 0
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  problem(found: Found<ProblemKind>): Problem {
    const problem = this.#located(found)
    if (this.problemCount++ < MAX_KEPT) this.problems.push(problem)
    return problem
  }

  note(found: Found<NoteKind>): void {
    const note = this.#located(found)
    if (this.noteCount++ < MAX_KEPT) this.notes.push(note)
  }

  /** The path below the root, with `/`. */
  fileOf(path: string): string {
    return relative(this.#root, path).split(sep).join('/')
  }

  #located<Kind extends ProblemKind | NoteKind>({ path, ...rest }: Found<Kind>): Finding<Kind> {
    return { bytes: 0, ...rest, file: this.fileOf(path) }
  }
}
