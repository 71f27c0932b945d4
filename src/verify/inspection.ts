// The state that all checks of one inspection share: the disk, the findings, the mender and the progress.

import type { VerifyOptions } from '../api/index.js'
import type { Layout } from '../base/layout.js'
import { Blobs } from '../blobs/blobs.js'
import type { Environment } from '../log/environment.js'
import type { Findings } from './findings.js'
import type { Mender } from './mender.js'
import { Shelf } from './shelf.js'

/** How many doubtful findings are checked again at the end. More of them don't come from a race with a writer. */
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
   * Lets the host's event loop run, so that later checks see what other processes wrote meanwhile.
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

  /** Checks again at the end, when writers have gone on. */
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
