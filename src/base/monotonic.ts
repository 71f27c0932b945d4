/** ms by a clock that nobody sets back, from some time on. Node loads a module of 2 ms for `performance.now()`. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
