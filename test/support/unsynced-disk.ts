// A disk in memory whose power can be cut: what was not synced by then may be lost.
//
// It behaves as file systems with a journal do. Names are made, moved and removed in the order of the calls, and a cut undoes
// the last of them, as many as chance has it. What is in a file is on disk up to where it was synced; of what was appended
// since, some is there. To sync a file has its name on disk as well, and so all that was done to names before.
//
// Not covered: file systems that say that a file is longer before its bytes are written, so that it ends with zeros.

import { dirname } from 'node:path'
import type { Files } from '../../src/files/files.js'
import { interceptedFiles } from './files.js'
import { MemoryDisk } from './memory-disk.js'

interface Tracked {
  /** Of its bytes, those that are on disk whatever happens. */
  syncedBytes: number
  /** How many changes of names there were when its name was made. */
  namedAt: number
}

/** What there is at each path: a directory, or a file by the number that it has here. */
type Names = Map<string, number | 'directory'>

interface NameChange {
  apply(names: Names): void
}

export class UnsyncedDisk {
  readonly #memory = new MemoryDisk()
  readonly files: Files
  readonly #names: Names = new Map()
  /** What is on disk whatever happens. */
  #synced: Names = new Map()
  #changes: NameChange[] = []
  readonly #tracked = new Map<number, Tracked>()
  readonly #bytes = new Map<number, () => Buffer>()
  readonly #byFd = new Map<number, number>()
  #lastId = 0

  constructor() {
    this.files = interceptedFiles(call => {
      const [first, second] = call.args as [string, string]
      switch (call.name) {
        case 'open': {
          const isNew = call.args[1] === 'create' && !this.#names.has(first)
          const fd = call.proceed() as number
          if (isNew) this.#make(first)
          this.#byFd.set(fd, this.#names.get(first) as number)
          return fd
        }
        case 'createFile': {
          const isMade = call.proceed()
          if (isMade) this.#make(first)
          return isMade
        }
        case 'makeDirectory': {
          const made = call.proceed()
          const missing: string[] = []
          for (let path = first; !this.#names.has(path); path = dirname(path)) {
            missing.unshift(path)
            if (dirname(path) === path) break
          }
          for (const path of missing) this.#change(names => names.set(path, 'directory'))
          return made
        }
        case 'rename': {
          call.proceed()
          const id = this.#names.get(first) as number
          this.#change(names => {
            names.delete(first)
            names.set(second, id)
          })
          this.#reread(id, second)
          const tracked = this.#tracked.get(id)
          if (tracked) tracked.namedAt = this.#changes.length
          return undefined
        }
        case 'link': {
          const isMade = call.proceed()
          const id = this.#names.get(first) as number
          if (isMade) this.#change(names => names.set(second, id))
          return isMade
        }
        case 'remove': {
          const id = this.#names.get(first)
          // A file without a name keeps its bytes: the cut may bring the name back.
          if (typeof id === 'number') this.#freeze(id)
          const isRemoved = call.proceed()
          if (isRemoved) this.#change(names => names.delete(first))
          return isRemoved
        }
        case 'removeDirectory': {
          const isRemoved = call.proceed()
          if (isRemoved) this.#change(names => names.delete(first))
          return isRemoved
        }
        case 'sync': {
          const id = this.#names.get(first)
          if (id === 'directory') this.#commit(this.#changes.length)
          const tracked = typeof id === 'number' ? this.#tracked.get(id) : undefined
          if (tracked && typeof id === 'number') {
            tracked.syncedBytes = this.#bytes.get(id)?.().length ?? 0
            this.#commit(tracked.namedAt)
          }
          return undefined
        }
        default:
          return call.proceed()
      }
    }, this.#memory)
  }

  /** Has all on disk, as it is some time after the last change. */
  syncAll(): void {
    this.#commit(this.#changes.length)
    for (const [id, tracked] of this.#tracked) tracked.syncedBytes = this.#bytes.get(id)?.().length ?? 0
  }

  /** The disk as it is found after a cut now; `random` gives integers below a number. This one goes on as it was. */
  cut(random: (below: number) => number): MemoryDisk {
    const names: Names = new Map(this.#synced)
    for (const change of this.#changes.slice(0, random(this.#changes.length + 1))) change.apply(names)
    const found = new MemoryDisk()
    for (const [path, id] of names) {
      if (id === 'directory') {
        found.files.makeDirectory(path)
        continue
      }
      found.files.makeDirectory(dirname(path))
      const bytes = this.#bytes.get(id)?.() ?? Buffer.alloc(0)
      const { syncedBytes } = this.#tracked.get(id) as Tracked
      const length = syncedBytes + random(bytes.length - syncedBytes + 1)
      found.write(path, Buffer.from(bytes.subarray(0, length)))
    }
    return found
  }

  #make(path: string): void {
    const id = ++this.#lastId
    this.#change(names => names.set(path, id))
    this.#tracked.set(id, { syncedBytes: 0, namedAt: this.#changes.length })
    this.#reread(id, path)
  }

  #reread(id: number, path: string): void {
    this.#bytes.set(id, () => this.#memory.files.readFile(path) ?? Buffer.alloc(0))
  }

  #freeze(id: number): void {
    const bytes = this.#bytes.get(id)?.() ?? Buffer.alloc(0)
    this.#bytes.set(id, () => bytes)
  }

  #change(apply: (names: Names) => void): void {
    apply(this.#names)
    this.#changes.push({ apply })
  }

  #commit(count: number): void {
    if (count === 0) return
    for (const change of this.#changes.slice(0, count)) change.apply(this.#synced)
    this.#changes = this.#changes.slice(count)
    for (const tracked of this.#tracked.values()) tracked.namedAt = Math.max(0, tracked.namedAt - count)
  }
}
