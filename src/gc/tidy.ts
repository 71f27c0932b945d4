// What is left over besides entries and values: candidates of processes that died, and namespaces that hold nothing.

import type { GcInput } from './input.js'

/** Returns how many namespaces are no longer there. One that others write to at that moment is made anew by them. */
export function tidy({ environment, blobs, layout, namespaces }: GcInput): number {
  const { files } = environment
  let removedNamespaces = 0
  blobs.index.removeLeftovers()
  for (const { directory, manifest, counters, claims } of namespaces()) {
    const maps = [manifest, claims, counters]
    for (const map of maps) map.removeLeftovers()
    // Its statistics outlive its entries, until it is removed as a whole.
    if (!counters.isEmpty || !maps.every(map => map.removeIfEmpty())) continue
    for (const pathOf of [layout.manifest, layout.claims, layout.counters]) files.removeDirectory(pathOf(directory))
    if (files.removeDirectory(layout.namespace(directory))) removedNamespaces++
  }
  return removedNamespaces
}
