import { type Input, lookOf } from '../inputs/input.js'
import type { Asker } from '../inputs/snapshot.js'
import type { NamespaceStore } from './store.js'

/** Returns the absolute paths of the files and directories among inputs, including those in lists. */
export function filesOf(store: NamespaceStore, inputs: readonly Input[], asker: Asker): string[] {
  const snapshot = store.snapshot()
  const files = new Set<string>()
  const seen = new Set<string>()
  const visit = (some: readonly Input[]) => {
    for (const input of some) {
      if (lookOf(input.kind) === 'list') {
        if (seen.has(input.path)) continue
        seen.add(input.path)
        visit(store.lists.load(input.path) ?? [])
      } else {
        const path = snapshot.pathOf(input, asker)
        if (path !== undefined) files.add(path)
      }
    }
  }
  visit(inputs)
  return [...files]
}
