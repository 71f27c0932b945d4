import type { StaleReason } from '../api/index.js'
import type { Input } from './input.js'

/** Whether inputs are as they were recorded. */
export interface Validity {
  /** Undefined: they are. */
  reason?: StaleReason
  /** The input that is not. */
  input?: Input
  /** Its absolute path, if it is a file's. */
  path?: string | undefined
}

export const VALID: Validity = {}
