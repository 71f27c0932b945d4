// One listener on process exit for all caches of the process: each cache adding its own would soon bring Node's warning
// about too many listeners into the host's output.

const flushes = new Set<() => void>()
let isListening = false

/** Calls the function when the process exits, also by `process.exit`; it must not throw. Returns how to take it back. */
export function onExit(flush: () => void): () => void {
  flushes.add(flush)
  if (!isListening) {
    isListening = true
    process.on('exit', () => {
      for (const each of flushes) each()
    })
  }
  return () => flushes.delete(flush)
}
