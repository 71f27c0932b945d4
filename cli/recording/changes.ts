// Finds out by metadata which files may have changed since they were first checked.

import { type BigIntStats, statSync } from 'node:fs'

export class Changes {
  readonly paths: readonly string[]
  readonly #before: readonly string[]

  constructor(paths: readonly string[]) {
    this.paths = paths
    this.#before = paths.map(stateOf)
  }

  /** The paths that have changed. */
  found(): string[] {
    return this.paths.filter((path, index) => stateOf(path) !== this.#before[index])
  }
}

function stateOf(path: string): string {
  try {
    const { dev, ino, mode, size, mtimeNs, ctimeNs }: BigIntStats = statSync(path, { bigint: true })
    return [dev, ino, mode, size, mtimeNs, ctimeNs].join()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return String(error.code)
  }
}
