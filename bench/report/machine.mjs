// What the figures were taken on.
import { cpus, platform, release, totalmem } from 'node:os'

/** @returns {Record<string, string>} */
export function machine() {
  const all = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    Node: process.version,
    system: `${platform()} ${release()} ${process.arch}`,
    processors: `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
  }
}
