// Keeps a copy of everything that a repair cuts out: in `salvaged` below the root, each piece in a file named after its
// original file and offset. The cache never reads or removes these files.

import { join } from 'node:path'
import { CacheError } from '../base/errors.js'
import { type Layout, MAX_FRAME_BYTES } from '../base/layout.js'
import type { Environment } from '../log/environment.js'
import type { Flaw } from './scan.js'

/** How many pieces of one file are kept separately. The last piece holds all the rest. */
const MAX_PIECES = 64
const MAX_NAME_LENGTH = 200
const MAX_TWINS = 10_000
const COPY_BYTES = 1024 * 1024

export class LostAndFound {
  /** Paths of what was put there. */
  readonly kept: string[] = []
  readonly #environment: Environment
  readonly #directory: string
  readonly #fileOf: (path: string) => string

  constructor(environment: Environment, layout: Layout, fileOf: (path: string) => string) {
    this.#environment = environment
    this.#directory = layout.lostAndFound
    this.#fileOf = fileOf
  }

  /** Moves a file, a directory or a link there. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
  move(path: string): void {
    const place = this.#place(path, 0)
    this.#environment.files.rename(path, place)
    this.kept.push(place)
  }

  /** Copies what is corrupt in a file there. @throws errno-style errors; CacheError `ERR_CACHE_IO` */
  copy(path: string, flaws: readonly Flaw[]): void {
    const corrupt = flaws.filter(({ kind }) => kind === 'corrupt')
    const last = corrupt.at(-1)
    for (const [index, { offset, bytes }] of corrupt.slice(0, MAX_PIECES).entries()) {
      const isRest = index === MAX_PIECES - 1
      this.#copy(path, offset, isRest && last ? last.offset + last.bytes - offset : bytes)
    }
  }

  #copy(path: string, offset: number, bytes: number): void {
    const length = Math.min(bytes, MAX_FRAME_BYTES)
    const { files, descriptors } = this.#environment
    const target = this.#place(path, offset)
    if (!files.createFile(target, '')) throw new CacheError('ERR_CACHE_IO', `${target} is there already.`)
    const from = descriptors.file(path, 'read')
    const to = descriptors.file(target, 'append')
    try {
      const chunk = Buffer.allocUnsafe(Math.min(length, COPY_BYTES))
      for (let done = 0; done < length; ) {
        const count = from.read(chunk, 0, Math.min(chunk.length, length - done), offset + done)
        if (count === 0) break
        if (to.append(chunk, count) < count)
          throw new CacheError('ERR_CACHE_IO', `${target} could not be written whole.`)
        done += count
      }
      this.kept.push(target)
    } finally {
      from.close()
      to.close()
    }
  }

  /** Returns a free name. An earlier repair may have cut at the same offset of a file with the same name. */
  #place(path: string, offset: number): string {
    const { files } = this.#environment
    files.makeDirectory(this.#directory)
    const name = `${this.#fileOf(path).replaceAll('/', '~').slice(-MAX_NAME_LENGTH)}~${offset}`
    for (let twin = 0; twin < MAX_TWINS; twin++) {
      const place = join(this.#directory, twin === 0 ? name : `${name}~${twin}`)
      if (!files.linkStat(place)) return place
    }
    throw new CacheError('ERR_CACHE_IO', `There are too many files in ${this.#directory}.`)
  }
}
