import type { StaleReason } from '../api/index.js'
import type { Input } from './input.js'

/** Whether inputs are as they were recorded, and if not, which one isn't. */
export interface Validity {
  /** Why the inputs are stale; undefined if they are not. */
  reason?: StaleReason
  /** The input that has changed. */
  input?: Input
  /** The absolute path of the changed input, if it is a file. */
  path?: string | undefined
}

export const VALID: Validity = {}
