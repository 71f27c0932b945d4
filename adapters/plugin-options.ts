import type { Place } from './place.js'

/** How the results of a bundler's plugin, or of a loader, are cached. */
export interface CachePluginOptions {
  /** The version of the plugin, or the loader: with another one, everything is computed anew. */
  version: string
  /** What the results depend on, instead of the plugin's options. Needed if the options contain functions. */
  inputs?: unknown
  /**
   * Whether results count in every checkout: your promise that they depend on the file's path within the project at most, and not on
   * the absolute one. Default: false.
   */
  portable?: boolean
  /** Where results are kept. Default: the namespace `bundlers` of the default cache. */
  place?: Place
}
