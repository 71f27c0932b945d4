// Compares what is at a path with what should be there. Something of another kind is reported, and isn't entered.

import type { Surroundings } from './inspection.js'

export class Walk {
  fileCount = 0
  totalBytes = 0
  readonly #surroundings: Surroundings

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  /** The names in a directory of the cache; none if it doesn't exist. */
  names(path: string): string[] {
    const { environment, findings, layout } = this.#surroundings
    if (path !== layout.root && !this.expect(path, 'directory')) return []
    const names = environment.files.list(path)
    if (names || !environment.files.linkStat(path)) return names ?? []
    findings.problem({ kind: 'unreadable', path, message: 'The directory cannot be read.' })
    return []
  }

  isDirectory(path: string): boolean {
    return this.#surroundings.environment.files.linkStat(path)?.kind === 'directory'
  }

  /** Whether it exists and is of this kind. Something of another kind is reported. */
  expect(path: string, kind: 'file' | 'directory'): boolean {
    const stat = this.#surroundings.environment.files.linkStat(path)
    if (stat && stat.kind !== kind) {
      this.misplaced(
        path,
        `A ${stat.kind === 'other' ? 'link or special file' : stat.kind} stands where a ${kind} should be.`,
      )
      return false
    }
    if (stat?.kind === 'file') {
      this.fileCount++
      this.totalBytes += stat.sizeBytes
    }
    return stat !== undefined
  }

  misplaced(path: string, message: string): void {
    const { findings, mender } = this.#surroundings
    const problem = findings.problem({ kind: 'unreadable', path, message })
    mender?.moveAway(problem, path)
  }

  foreign(path: string): void {
    const bytes = this.#surroundings.environment.files.linkStat(path)?.sizeBytes
    this.#surroundings.findings.note({
      kind: 'orphaned',
      path,
      bytes: bytes ?? 0,
      message: 'This is nothing of the cache.',
    })
  }

  note(path: string, message: string): void {
    this.#surroundings.findings.note({ kind: 'orphaned', path, bytes: 0, message })
  }
}
