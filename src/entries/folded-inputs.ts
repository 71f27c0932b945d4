import type { Input } from '../inputs/input.js'
import type { NamespaceStore } from './store.js'

/** Entries hold so many inputs themselves. */
const MAX_INLINE = 4

/** The inputs as an entry holds them: beyond the first, many are one list, which is stored if it is new. */
export function foldedInputs(store: NamespaceStore, inputs: readonly Input[]): readonly Input[] {
  return inputs.length <= MAX_INLINE ? inputs : store.lists.fold(inputs, store.now())
}
