// What the operations of the model test act on: two processes with a root and some sources, and the model of all of it.

import { join } from 'node:path'
import { layoutOf } from '../../src/base/layout.js'
import { CacheHandle } from '../../src/cache/cache.js'
import type { CacheWarning, Namespace, SetOptions } from '../../src/index.js'
import { FaultyDisk } from '../support/files.js'
import { randomFrom } from '../support/random.js'
import type { TestDisk } from './disks.js'
import { Model, type ModelNamespace } from './model.js'
import { CONTENTS, DIRECTORY, FILES, type Life, NAMESPACES, type Operation, PROCESSES, VERSIONS } from './operations.js'

export interface Process {
  cache: CacheHandle
  disk: FaultyDisk
}

/** What an operation addresses: the library's namespace and the model's. */
export interface Sides {
  name: string
  real: Namespace
  model: ModelNamespace
  version: string
  process: number
}

export class World {
  readonly model = new Model()
  readonly processes: Process[] = []
  /** Of all processes since they were last taken away. */
  readonly warnings: CacheWarning[] = []
  readonly random: (below: number) => number
  readonly #disk: TestDisk

  constructor(disk: TestDisk, seed: number) {
    this.#disk = disk
    this.random = randomFrom(seed)
    disk.files.makeDirectory(this.projectOf('one'))
    for (let process = 0; process < PROCESSES; process++) this.processes.push(this.#open())
    for (const source of [0, 1, 2]) this.edit(source, source, 'replace')
  }

  passMs(byMs: number): void {
    this.#disk.passMs(byMs)
  }

  /** As a process that comes later opens it. */
  openReadOnly(): CacheHandle {
    return this.#openAt(this.#disk.files, true)
  }

  edit(file: number, content: number, how: Extract<Operation, { do: 'edit' }>['how']): void {
    const isThere = this.model.files.has(file)
    const path = this.path(file)
    if (how === 'touch') {
      if (isThere) this.#disk.touch(path)
    } else if (how === 'remove') {
      if (this.model.files.delete(file)) this.#disk.remove(path)
    } else {
      this.#disk.write(path, CONTENTS[content] as string, how === 'in place')
      this.model.files.set(file, content)
    }
  }

  reopen(process: number, isKill: boolean): void {
    const { cache, disk } = this.processes[process] as Process
    if (isKill) {
      // It does nothing more but give its descriptors back.
      disk.fail({ at: 1, code: 'EIO', span: 'lasting' })
      const { length } = this.warnings
      cache.close()
      this.warnings.length = length
      // A lock of the dead is nobody's; but all these processes are one, whose number lives on.
      this.#disk.files.remove(layoutOf(join(this.#disk.directory, 'cache')).gcLock)
    } else {
      cache.close()
    }
    this.model.end(process, isKill)
    this.processes[process] = this.#open()
  }

  #open(): Process {
    const disk = new FaultyDisk({ files: this.#disk.files, now: this.#disk.files.now })
    return { cache: this.#openAt(disk.files, false), disk }
  }

  #openAt(files: FaultyDisk['files'], readOnly: boolean): CacheHandle {
    return new CacheHandle(
      {
        dir: join(this.#disk.directory, 'cache'),
        mode: readOnly ? 'readonly' : 'readwrite',
        clock: () => this.model.nowMs,
        onWarning: warning => this.warnings.push(warning),
      },
      { files, random: () => this.random(2 ** 32) / 2 ** 32 },
    )
  }

  sides({ process, namespace, version }: { process: number; namespace: number; version: number }): Sides {
    const name = NAMESPACES[namespace] as string
    const { cache } = this.processes[process] as Process
    const options = { version: VERSIONS[version] as string, project: this.projectOf(name) }
    return {
      name,
      real: cache.namespace(name, options),
      model: this.model.namespace(name),
      version: options.version,
      process,
    }
  }

  /** One of the namespaces records its sources relative to their directory, the other one by their whole paths. */
  projectOf(namespace: string): string {
    return namespace === 'two' ? this.path(DIRECTORY) : join(this.#disk.directory, 'elsewhere')
  }

  /** How an analysis is listed. */
  labelOf(namespace: string, name: string, source: number): string {
    const inProject = source === DIRECTORY ? '.' : (FILES[source] as string)
    return `${name} ${namespace === 'two' ? inProject : this.path(source)}`
  }

  path(source: number): string {
    const directory = join(this.#disk.directory, 'src')
    return source === DIRECTORY ? directory : join(directory, FILES[source] as string)
  }

  optionsOf({ ttlMs, files }: Life): SetOptions {
    return {
      ...(ttlMs === undefined ? {} : { ttl: ttlMs }),
      ...(files ? { files: files.map(source => this.path(source)) } : {}),
    }
  }
}
