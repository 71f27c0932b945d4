// From where the references of a handle's entries lead.

import type { Input } from '../inputs/input.js'
import type { Asker } from '../inputs/snapshot.js'
import { type Project, workingPlace } from '../project/project.js'

/** A class, since an object with a getter of its own takes as long to make as a tenth of a get. */
export class EntriesAsker implements Asker {
  readonly dir: string | undefined
  readonly location: string
  readonly file: string | undefined
  readonly text: Input | undefined
  readonly now: () => number
  readonly #project: Project | undefined

  constructor(
    project: Project | undefined,
    now: () => number,
    file: string | undefined,
    location: string,
    text: Input | undefined,
  ) {
    this.dir = project?.dir
    this.location = location
    this.file = file
    this.text = text
    this.now = now
    this.#project = project
  }

  get place(): string {
    return workingPlace(this.#project)
  }
}
