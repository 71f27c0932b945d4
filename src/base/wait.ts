const never = new Int32Array(new SharedArrayBuffer(4))

/** Holds the thread up, where what calls cannot be asynchronous. */
export function waitSync(ms: number): void {
  Atomics.wait(never, 0, 0, ms)
}
