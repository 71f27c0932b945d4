// Cuts a gc into pieces: between two, the host's event loop turns, progress is told, an abort is obeyed, and the gc says that it
// still lives.

import type { GcProgress } from '../api/index.js'

export interface PaceInput {
  signal: AbortSignal | undefined
  onProgress: ((progress: GcProgress) => void) | undefined
  /** Called before each piece; throws when the gc must not go on. */
  check(): void
}

export class Pace {
  readonly #input: PaceInput

  constructor(input: PaceInput) {
    this.#input = input
  }

  /** @throws the signal's reason; what `check` throws */
  async pause(step: GcProgress['step'], fraction: number): Promise<void> {
    this.#input.onProgress?.({ step, fraction })
    await new Promise<void>(resolve => setImmediate(resolve))
    this.#input.signal?.throwIfAborted()
    this.#input.check()
  }
}
