// A plugin that knows which modules every file asks for: what a bundler, a linter's import rules or a search for unused
// dependencies begin with.

import { importsOf } from './imports.mjs'
import { PARSER_VERSION, parseFile } from './parse.mjs'

/** Raise it with every change to what is cached: entries of other versions are not seen, and nothing needs clearing. */
const PLUGIN_VERSION = '1.0.0'

/**
 * @param {import('wicked-cache').Cache} cache
 * @param {typeof parseFile} [parse]
 */
export function createImportGraph(cache, parse = parseFile) {
  // Without `base` and under absolute paths, because every project on the machine shares the cache: under relative ones,
  // the `src/index.js` of one project would replace that of another. Where a cache serves one project and moves between
  // machines, as in CI, set `base` and make the keys relative to it.
  const entries = cache.namespace('import-graph', { version: `${PLUGIN_VERSION}+parser.${PARSER_VERSION}` })

  return {
    entries,

    /**
     * The imports as they are written. Which file a name leads to depends on what other files there are, so that is worked
     * out from this on every run: cached, it would outlive the moment when somebody adds a file.
     *
     * @param {string} path absolute: it is the key, and must mean the same file wherever the process runs
     * @returns {Promise<import('./imports.mjs').ImportList>}
     */
    async analyze(path) {
      /** @type {import('./imports.mjs').ImportList | undefined} */
      const cached = entries.get(path)
      if (cached) return cached
      // The list and not the tree: reading a tree back takes about as long as parsing the text again.
      const list = importsOf(await parse(path))
      entries.set(path, list, { files: [path] })
      return list
    },
  }
}
