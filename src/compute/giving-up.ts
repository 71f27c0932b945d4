// A caller that gives up waits no longer. What it has asked for is computed nevertheless: others may wait for it.

import { currentComputation } from './frame.js'

/** @throws the signal's reason once it is aborted; what `start` throws */
export async function unlessAborted<T>(signal: AbortSignal | undefined, start: () => Promise<T>): Promise<T> {
  if (!signal) return start()
  signal.throwIfAborted()
  const recorder = currentComputation()?.recorder
  const isOver = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    const giveUp = () => {
      // It goes on without a result, for reasons that are no input.
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
