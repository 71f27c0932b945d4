// Lets a caller stop waiting when its signal is aborted. The computation goes on, since others may wait for it.

import { currentComputation } from './frame.js'

/** @throws the signal's reason once it is aborted; what `start` throws */
export async function unlessAborted<T>(signal: AbortSignal | undefined, start: () => Promise<T>): Promise<T> {
  if (!signal) return start()
  signal.throwIfAborted()
  const recorder = currentComputation()?.recorder
  const isOver = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    const giveUp = () => {
      // The asking computation goes on without a result, for a reason that is not an input.
      recorder?.spoil()
      reject(signal.reason)
    }
    signal.addEventListener('abort', giveUp, { once: true, signal: isOver.signal })
  })
  try {
    return await Promise.race([start(), aborted])
  } finally {
    isOver.abort()
  }
}
