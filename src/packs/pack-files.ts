// The files of packs: their names and sizes.

import { childOf } from '../base/child.js'
import type { Environment } from '../log/environment.js'
import type { Location } from './blob.js'
import { numbersIn } from './numbers.js'

export class PackFiles {
  readonly path: string
  protected readonly environment: Environment

  constructor(environment: Environment, path: string) {
    this.environment = environment
    this.path = path
  }

  /** Numbers of the packs on disk, ascending. */
  numbers(): number[] {
    return numbersIn(this.environment.files, this.path)
  }

  /** The size of the pack's file; 0 if it is gone or retired, so that its blobs must be stored again. */
  keptBytes(pack: number): number {
    return this.environment.files.stat(this.file(pack))?.sizeBytes ?? 0
  }

  /** Whether entries may keep referring to this location. */
  isKept({ pack, offset }: Location): boolean {
    return offset < this.keptBytes(pack)
  }

  /** Whether the pack is about to be removed. */
  isRetired(pack: number): boolean {
    return this.environment.files.stat(this.retiredFile(pack)) !== undefined
  }

  /** The length of the pack's file; 0 if it is gone. */
  sizeOf(pack: number): number {
    return this.environment.files.stat(this.currentFile(pack))?.sizeBytes ?? 0
  }

  /** The file with the pack's blobs. */
  currentFile(pack: number): string {
    return this.keptBytes(pack) > 0 ? this.file(pack) : this.retiredFile(pack)
  }

  retiredFile(pack: number): string {
    return childOf(this.path, `${pack}.retired`)
  }

  file(pack: number): string {
    return childOf(this.path, `${pack}.pack`)
  }
}

/** The pack's identity: its frames are valid only in this file. */
export function identityOf(pack: number): string {
  return `blobs/packs/${pack}`
}
