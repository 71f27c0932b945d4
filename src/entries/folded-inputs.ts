import type { Input } from '../inputs/input.js'
import type { NamespaceStore } from './store.js'

/** How many inputs an entry holds itself. */
const MAX_INLINE = 4

/**
 * Returns the inputs in the form that an entry holds. If there are many, all but the first become one list, which is stored if
 * it is new.
 */
export function foldedInputs(store: NamespaceStore, inputs: readonly Input[]): readonly Input[] {
  return inputs.length <= MAX_INLINE ? inputs : store.lists.fold(inputs, store.now())
}
