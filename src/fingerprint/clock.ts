// The present time by the clock of the file system that a source is on. A network share, or a directory of the host of a virtual
// machine, has a clock of its own; where it is behind, a change a moment ago looks old by the process's clock.
//
// Nothing may be written there to ask for the time. So of a file system that is not known to go by this machine's clock, the
// latest time that was seen on a file of it counts, which can only be too early: a source is racy there until something newer is
// seen. Only a source that is a day old is taken to be old.

import type { FileStat, FileSystemKind, Files } from '../files/files.js'

/** No clock is off by more than this. */
const OLD_MS = 24 * 3_600_000

/** By device, for each disk: a test may bring its own. */
const known = new WeakMap<Files, Map<number, { kind: FileSystemKind; latestMs: number }>>()

/** `localMs` is the process's time from before the stat. */
export function sourceClock(files: Files, path: string, stat: FileStat, localMs: number): number {
  const changedMs = Math.max(stat.mtimeMs, stat.ctimeMs)
  const device = deviceOf(files, path, stat)
  if (device.kind === 'local') return localMs
  // Whatever it says, it is made up as it is read.
  if (device.kind === 'generated') return Number.NEGATIVE_INFINITY
  device.latestMs = Math.max(device.latestMs, changedMs)
  return localMs - changedMs > OLD_MS ? localMs : device.latestMs
}

function deviceOf(files: Files, path: string, { device }: FileStat): { kind: FileSystemKind; latestMs: number } {
  let devices = known.get(files)
  if (!devices) {
    devices = new Map()
    known.set(files, devices)
  }
  let found = devices.get(device)
  if (!found) {
    found = { kind: files.fileSystem(path).kind, latestMs: Number.NEGATIVE_INFINITY }
    devices.set(device, found)
  }
  return found
}
