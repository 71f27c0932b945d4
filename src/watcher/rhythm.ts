// How soon a watcher reacts to events, and how often it sweeps over all sources.

/** The longest wait for chokidar. It never gets ready if a directory becomes a file during its start. */
export const START_MS = 20_000
/** The delay after the first event, to collect other events of the same change. */
export const BATCH_MS = 15
/** After this many events at once, even of one path, others may have been lost: all sources are checked, */
export const BURST_EVENTS = 128
/** once there were no events for this long. */
export const SETTLE_MS = 150
/** The shortest interval between sweeps, and the largest share of time that they may take; */
export const SWEEP = { intervalMs: 3000, maxShare: 1 / 100 }
/** and the same while some events are known to be missing. */
export const DEGRADED_SWEEP = { intervalMs: 1000, maxShare: 1 / 20 }
