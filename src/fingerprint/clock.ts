// The current time of the file system that a source is on. A network share, or a directory of a virtual machine's host, has its
// own clock. If that is behind, a recent change looks old by the process's clock.
//
// Nothing may be written there to find out its time. So if the file system may not use this machine's clock, the latest time
// that was seen on one of its files counts as the current time. It can only be too early: a source counts as racy until
// something newer is seen. Only a source that is a day old counts as old.

import type { FileStat, FileSystemKind, Files } from '../files/files.js'

/** No clock is off by more than this. */
const OLD_MS = 24 * 3_600_000

/** The latest times by device, for each Files object. */
const known = new WeakMap<Files, Map<number, { kind: FileSystemKind; latestMs: number }>>()

/** `localMs` is the process's time before the stat. */
export function sourceClock(files: Files, path: string, stat: FileStat, localMs: number): number {
  const changedMs = Math.max(stat.mtimeMs, stat.ctimeMs)
  const device = deviceOf(files, path, stat)
  if (device.kind === 'local') return localMs
  // Generated files have no meaningful times.
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
