// What is left over besides entries and values: candidates of processes that died.

import type { GcInput } from './input.js'

export function tidy({ blobs, namespaces }: GcInput): void {
  blobs.index.removeLeftovers()
  for (const { manifest, counters } of namespaces()) {
    for (const map of [manifest, counters]) map.removeLeftovers()
  }
}
