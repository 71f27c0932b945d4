/** Milliseconds of a monotonic clock with an arbitrary start. `performance.now()` would load a module of Node for 2 ms. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
