const never = new Int32Array(new SharedArrayBuffer(4))

/** Blocks the thread, for callers that can't be asynchronous. */
export function waitSync(ms: number): void {
  Atomics.wait(never, 0, 0, ms)
}
