/** The clock of a scenario as it can be handed to another process. */
export interface ClockState {
  isRunning: boolean
  /** What the steps have added. */
  advancedMs: number
}

// Any moment does; a fixed one gives the same run on every day.
const START_MS = Date.UTC(2031, 4, 17, 9, 30)

export function clockOf(state: ClockState): () => number {
  return () => (state.isRunning ? Date.now() : START_MS) + state.advancedMs
}
