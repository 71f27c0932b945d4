// What all checks of one look at the store share: the disk, what was found, who mends it, and how far it is.

import type { VerifyOptions } from '../api/index.js'
import type { Layout } from '../base/layout.js'
import { Blobs } from '../blobs/blobs.js'
import type { Environment } from '../log/environment.js'
import type { Findings } from './findings.js'
import type { Mender } from './mender.js'
import { Shelf } from './shelf.js'

/** So many doubts wait for the end; where there are more, it is no race with a writer. */
const MAX_DOUBTS = 10_000

export interface Surroundings {
  environment: Environment
  layout: Layout
  findings: Findings
  /** Only during a repair. */
  mender: Mender | undefined
}

export class Inspection implements Surroundings {
  readonly environment: Environment
  readonly layout: Layout
  readonly blobs: Blobs
  readonly findings: Findings
  readonly mender: Mender | undefined
  readonly shelf: Shelf
  fileCount = 0
  totalBytes = 0
  checkedBytes = 0
  entryCount = 0
  readonly #options: VerifyOptions
  readonly #check: () => void
  readonly #doubts: (() => void)[] = []

  constructor({ environment, layout, findings, mender }: Surroundings, options: VerifyOptions, check: () => void) {
    this.environment = environment
    this.layout = layout
    this.blobs = new Blobs(environment, layout)
    this.findings = findings
    this.mender = mender
    this.shelf = new Shelf(id => environment.hashing.hash32(id, 0, id.length, 0))
    this.#options = options
    this.#check = check
  }

  /**
   * Lets the host's event loop run, and so sees what others wrote meanwhile.
   *
   * @throws the reason of the caller's signal; what `check` throws
   */
  async pause(): Promise<void> {
    await new Promise<void>(resolve => setImmediate(resolve))
    this.#options.signal?.throwIfAborted()
    this.#check()
  }

  checked(path: string, bytes: number): void {
    this.checkedBytes += bytes
    const { checkedBytes, totalBytes } = this
    this.#options.onProgress?.({ file: this.findings.fileOf(path), checkedBytes, totalBytes })
  }

  /** Looks once more in the end, when whoever was writing has gone on. */
  doubt(lookAgain: () => void): void {
    if (this.#doubts.length < MAX_DOUBTS) this.#doubts.push(lookAgain)
    else lookAgain()
  }

  async settleDoubts(): Promise<void> {
    for (const lookAgain of this.#doubts.splice(0)) {
      lookAgain()
      await this.pause()
    }
  }

  close(): void {
    this.blobs.close()
    this.environment.descriptors.closeAll()
  }
}
