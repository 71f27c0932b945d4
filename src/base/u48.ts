// Reads and writes 48-bit little-endian numbers: times in ms, sizes, counts. A DataView has no methods for these, and a
// Buffer's are slow until they are compiled.

/** @throws RangeError past the end */
export function readU48(view: DataView, at: number): number {
  const low = view.getUint32(at, true)
  const high = view.getUint16(at + 4, true)
  // A sum would be a double, even of small numbers.
  return high === 0 ? low : low + high * 2 ** 32
}

/** @throws RangeError past the end */
export function writeU48(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true)
  view.setUint16(at + 4, value / 2 ** 32, true)
}
