// What the figures were taken on.
import { cpus, loadavg, platform, release, totalmem } from 'node:os'

/** @returns {Record<string, string>} */
export function machine() {
  const all = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    Node: process.version,
    system: `${platform()} ${release()} ${process.arch}`,
    processors: `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}`,
    // The benchmark alone makes about 1; with more, others had the machine as well and ratios are rough.
    'load average': (loadavg()[2] ?? 0).toFixed(1),
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
  }
}
