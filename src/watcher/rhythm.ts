// How soon a watcher acts, and how often it looks for itself.

/** The watch is not waited for any longer: chokidar never gets ready where a directory has become a file meanwhile. */
export const START_MS = 20_000
/** From the first event to its work: others of the same change come along. */
export const BATCH_MS = 15
/** So many events at once, be it of one path, that others may have been lost: all sources are looked at, */
export const BURST_EVENTS = 128
/** when nothing has come for this long. */
export const SETTLE_MS = 150
/** All sources are looked at this often at most, for this share of the time at most; */
export const SWEEP = { intervalMs: 3000, maxShare: 1 / 100 }
/** and more often when it is known that changes are missed. */
export const DEGRADED_SWEEP = { intervalMs: 1000, maxShare: 1 / 20 }
