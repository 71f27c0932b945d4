// What another process is given to do.

import type { ActorStep, End } from './format.js'
import type { Outcome } from './outcome.js'
import type { Setting } from './performer.js'

export interface Assignment {
  setting: Setting
  steps: readonly { step: ActorStep; isNewTurn: boolean }[]
  end: End
}

export type Report = { isReady: true } | { outcomes: Outcome[] }

// As it was when this process began: what steps set is told to each process.
const { WICKED_CACHE_DIR, WICKED_CACHE, NODE_OPTIONS, NODE_V8_COVERAGE, ...inherited } = process.env

/** The test's own environment without what would make a child find another cache or print more. */
export function environment(): NodeJS.ProcessEnv {
  return inherited
}
