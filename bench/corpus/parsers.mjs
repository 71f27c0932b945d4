// Parsers that plugins use, each with files of real packages, for the question whether caching their trees pays.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const INSTALLED = fileURLToPath(new URL('../node_modules', import.meta.url))
const require = createRequire(import.meta.url)

const SMALL_JS = 'acorn-walk/dist/walk.js'
const MIDDLE_JS = 'graphql/type/definition.js'
const LARGE_JS = 'acorn/dist/acorn.js'
const SMALL_TS = 'graphql/language/visitor.d.ts'
const LARGE_TS = 'typescript/lib/lib.es5.d.ts'
const JS = { ecmaVersion: 'latest', sourceType: 'script' }

/**
 * Loads a parser.
 *
 * @typedef {() => ((source: string) => any) | Promise<(source: string) => any>} Load
 */

/** @type {Load} */
const acorn = () => {
  const { parse } = require('acorn')
  return source => parse(source, JS)
}
/** @type {Load} */
const acornLocations = () => {
  const { parse } = require('acorn')
  return source => parse(source, { ...JS, locations: true, ranges: true })
}
/** @type {Load} */
const meriyah = () => {
  const { parseScript } = require('meriyah')
  return source => parseScript(source, { next: true, ranges: true })
}
/** @type {Load} */
const espree = () => {
  const { parse } = require('espree')
  const options = { ecmaVersion: 'latest', range: true, loc: true, comment: true, tokens: true }
  return source => withParents(parse(source, options))
}
/** @type {Load} */
const estree = () => {
  const { parse } = require('@typescript-eslint/typescript-estree')
  return source => parse(source, { range: true, loc: true })
}
/** @type {Load} */
const oxc = () => {
  const { parseSync } = require('oxc-parser')
  return source => parseSync('a.js', source).program
}
/** @type {Load} */
const babel = () => {
  const { parse } = require('@babel/parser')
  return source => parse(source, { sourceType: 'unambiguous' })
}
/** @type {Load} */
const postcss = () => {
  const { parse } = require('postcss')
  return source => parse(source).toJSON()
}
/** @type {Load} */
const cssTree = () => {
  const { parse, toPlainObject } = require('css-tree')
  return source => toPlainObject(parse(source, { positions: true }))
}
/** @type {Load} */
const graphql = () => {
  const { parse } = require('graphql')
  return source => parse(source, { noLocation: true })
}
/** @type {Load} */
const mdast = async () => (await import('mdast-util-from-markdown')).fromMarkdown

/**
 * @typedef {object} Parser
 * @property {string} name
 * @property {Load} load
 * @property {readonly string[]} files
 * @property {object} [options] of the namespace
 * @property {boolean} [isBar] whether the bars count it
 */

/** @type {readonly Parser[]} */
export const PARSERS = [
  { name: 'acorn', load: acorn, files: [SMALL_JS, MIDDLE_JS, LARGE_JS], isBar: true },
  { name: 'acorn, locations and ranges', load: acornLocations, files: [LARGE_JS] },
  { name: 'meriyah, ranges', load: meriyah, files: [SMALL_JS, MIDDLE_JS, LARGE_JS], isBar: true },
  { name: 'espree, parents and tokens', load: espree, files: [SMALL_JS, LARGE_JS], options: { cyclic: true } },
  { name: 'typescript-estree', load: estree, files: [SMALL_TS, SMALL_JS, LARGE_TS], isBar: true },
  { name: 'oxc-parser', load: oxc, files: [SMALL_JS, MIDDLE_JS, LARGE_JS], isBar: true },
  { name: '@babel/parser', load: babel, files: [SMALL_JS, MIDDLE_JS, LARGE_JS], isBar: true },
  { name: 'postcss, toJSON', load: postcss, files: ['bootstrap/dist/css/bootstrap.css'] },
  { name: 'css-tree, plain', load: cssTree, files: ['bootstrap/dist/css/bootstrap.css'] },
  { name: 'graphql, noLocation', load: graphql, files: ['@octokit/graphql-schema/schema.graphql'] },
  { name: 'mdast-util-from-markdown', load: mdast, files: ['css-tree/README.md'] },
]

/** @param {string} name of a file of a package */
export const sourceOf = name => readFileSync(join(INSTALLED, name), 'utf8')

/** @param {string} name */
export function parserNamed(name) {
  const parser = PARSERS.find(each => each.name === name)
  if (!parser) throw new Error(`There is no parser ${name}.`)
  return parser
}

/** Gives each node its parent, as linters do. @param {any} root */
function withParents(root) {
  const visit = (/** @type {any} */ node, /** @type {any} */ parent) => {
    node.parent = parent
    for (const [key, value] of Object.entries(node)) {
      if (key === 'parent') continue
      for (const child of Array.isArray(value) ? value : [value]) {
        if (typeof child?.type === 'string') visit(child, node)
      }
    }
  }
  visit(root, null)
  return root
}
