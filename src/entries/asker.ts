// The directories that the references of a handle's entries are resolved against.

import type { Input } from '../inputs/input.js'
import type { Asker } from '../inputs/snapshot.js'
import { homeFor, workingPlace } from '../project/paths.js'
import type { Project, Projects } from '../project/project.js'

/** The owner of the entries. */
interface Handle {
  project: Project | undefined
  /** Whether the project is that of the working directory. */
  isByDirectory: boolean
  store: { projects: Projects }
}

export function createAsker(
  handle: Handle,
  now: () => number,
  file: string | undefined,
  location: string,
  text: Input | undefined,
): Asker {
  return new EntriesAsker(handle, now, file, location, text)
}

/** A class, because creating an object with a getter of its own takes a tenth of the time of a get. */
class EntriesAsker implements Asker {
  readonly dir: string | undefined
  readonly location: string
  readonly file: string | undefined
  readonly text: Input | undefined
  readonly now: () => number
  readonly #handle: Handle

  constructor(handle: Handle, now: () => number, file: string | undefined, location: string, text: Input | undefined) {
    this.dir = handle.project?.dir
    this.location = location
    this.file = file
    this.text = text
    this.now = now
    this.#handle = handle
  }

  get place(): string {
    return workingPlace(this.#handle.project)
  }

  get home(): string {
    const { isByDirectory, store } = this.#handle
    return isByDirectory ? '' : homeFor(store.projects, this.dir)
  }
}
