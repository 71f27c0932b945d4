// What is left over besides entries and values: candidates of processes that died.

import type { GcInput } from './input.js'

export function tidy({ blobs, namespaces }: GcInput): void {
  blobs.index.removeLeftovers()
  for (const { manifest, counters, claims } of namespaces()) {
    for (const map of [manifest, claims, counters]) map.removeLeftovers()
  }
}
