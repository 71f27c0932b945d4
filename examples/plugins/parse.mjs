// Source text to syntax tree. It and imports.mjs stand for what two plugins have in common in real life: packages from
// npm that both depend on, without knowing of each other.

import { createRequire } from 'node:module'

/** @typedef {{ program: import('@babel/types').Program } | { failure: string }} Parsed */

/** For the version of a plugin's namespace: another parser may see another tree in the same text. */
export const PARSER_VERSION = createRequire(import.meta.url)('@babel/parser/package.json').version

/**
 * Text that is no program is a result like any other: it is no different the next time, so it is worth caching. What the
 * parser has no room for on its stack says nothing about the text; that is thrown, and must not be cached.
 *
 * @param {string} text
 * @param {string} path of which the suffix alone counts
 * @returns {Promise<Parsed>}
 */
export async function parseText(text, path) {
  // Only here: when everything is cached, no process pays for loading the parser.
  const { parse } = await import('@babel/parser')
  try {
    return { program: parse(text, optionsFor(path)).program }
  } catch (error) {
    if (error instanceof SyntaxError) return { failure: error.message }
    throw error
  }
}

/**
 * What of a path says which language is in the file: `.tsx`, `.d.ts`, `.d.css.ts`.
 *
 * @param {string} path
 */
export function suffixOf(path) {
  return /(?:\.d(?:\.[^./\\]+)?)?\.[mc]?[jt]sx?$/.exec(path)?.[0] ?? ''
}

/**
 * @param {string} path
 * @returns {import('@babel/parser').ParserOptions}
 */
function optionsFor(path) {
  const isTypeScript = /\.[mc]?tsx?$/.test(path)
  // What follows `.d` may be an extension of its own, as in `styles.d.css.ts`.
  const isDeclaration = /\.d\.([^./\\]+\.)?[mc]?ts$/.test(path)
  /** @type {import('@babel/parser').ParserPlugin[]} */
  const plugins = ['decorators', 'decoratorAutoAccessors']
  if (isTypeScript) plugins.push(['typescript', { dts: isDeclaration }])
  // `<T>x` is a cast in TypeScript, unless the file may hold JSX.
  if (!isTypeScript || path.endsWith('x')) plugins.push('jsx')
  return {
    plugins,
    sourceType: /\.c[jt]s$/.test(path) ? 'commonjs' : /\.m[jt]s$/.test(path) ? 'module' : 'unambiguous',
    // TypeScript merges declarations, and .js files may be meant for laxer engines: there is a tree all the same.
    errorRecovery: true,
    // `import()` as a node of its own, as ESTree has it.
    createImportExpressions: true,
    // Nobody here reads comments, and attaching them costs time.
    attachComment: false,
  }
}
