// A plugin that knows which modules every file asks for: what a bundler, a linter's import rules or a search for unused
// dependencies begin with.

import { importsOf } from './imports.mjs'
import { PARSER_VERSION, parseText, suffixOf } from './parse.mjs'

/** Raise it with every change to what is cached: entries of other versions are not seen, and nothing needs clearing. */
const PLUGIN_VERSION = '1.0.0'

/**
 * @param {import('wicked-cache').Cache} cache
 * @param {typeof parseText} [parse]
 */
export function createImportGraph(cache, parse = parseText) {
  const entries = cache.namespace('import-graph', { version: `${PLUGIN_VERSION}+parser.${PARSER_VERSION}` })

  return {
    entries,

    /**
     * The imports as they are written. Which file a name leads to depends on what other files there are, so that is worked
     * out from this on every run: cached, it would have to end whenever a file is added.
     *
     * @param {string} path
     * @returns {Promise<import('./imports.mjs').ImportList>}
     */
    analyze(path) {
      // The list and not the tree: reading a tree back takes about as long as parsing the text again.
      // Of the path, the suffix alone counts: it is an input, and an equal file elsewhere is a hit.
      const suffix = suffixOf(path)
      const compute = async (/** @type {import('wicked-cache').AnalyzeContext} */ { source }) =>
        importsOf(await parse(source, suffix))
      return entries.analyze('imports', path, compute, { inputs: suffix, anywhere: true })
    },
  }
}
