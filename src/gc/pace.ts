// Cuts a gc into pieces: between two, the host's event loop turns, progress is told, and an abort is obeyed.

import type { GcProgress } from '../api/index.js'

export class Pace {
  readonly #signal: AbortSignal | undefined
  readonly #onProgress: ((progress: GcProgress) => void) | undefined

  constructor(signal: AbortSignal | undefined, onProgress: ((progress: GcProgress) => void) | undefined) {
    this.#signal = signal
    this.#onProgress = onProgress
  }

  /** @throws the signal's reason */
  async pause(step: GcProgress['step'], fraction: number): Promise<void> {
    this.#onProgress?.({ step, fraction })
    await new Promise<void>(resolve => setImmediate(resolve))
    this.#signal?.throwIfAborted()
  }
}
