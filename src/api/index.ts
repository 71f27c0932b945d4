// The shapes that callers see. Times are ms since the epoch, sizes are bytes, where not said otherwise.

export type * from './cache.js'
export type * from './compute.js'
export type * from './entries.js'
export type * from './limits.js'
export type * from './maintenance.js'
export type * from './namespace.js'
export type * from './reasons.js'
export type * from './remote.js'
export type * from './watch.js'
