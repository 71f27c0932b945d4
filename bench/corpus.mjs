// What the benchmark works on: real source files of installed packages, what a real plugin would keep of them (a small
// summary: imports, exports, functions), and whole syntax trees of acorn and Babel, as plain data.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse as parseWithAcorn } from 'acorn'

const INSTALLED = fileURLToPath(new URL('node_modules', import.meta.url))
/** A bundle of a megabyte is no source file. */
const MAX_SOURCE_BYTES = 500_000

/** @typedef {{ parser: 'acorn' | 'babel', path: string, text: string }} Source */

/** Paths of all JavaScript files of the installed packages, in an order that mixes them and is always the same. */
export function sourcePaths() {
  const files = readdirSync(INSTALLED, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /\.[cm]?js$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
  return shuffled(files.sort())
}

/** @returns {string[]} paths of TypeScript sources, in the same kind of order */
export function typedSourcePaths() {
  const directory = join(INSTALLED, 'rxjs', 'src')
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return shuffled(names.filter(name => name.endsWith('.ts')).sort()).map(name => join(directory, name))
}

/**
 * What a plugin that follows imports and outlines files keeps of one; undefined for what is no JavaScript.
 *
 * @param {string} text
 */
export function summaryOf(text) {
  const tree = /** @type {any} */ (treeOf(text))
  if (!tree) return undefined
  const imports = []
  const exports = []
  const declarations = []
  for (const node of tree.body) {
    if (node.source) imports.push({ from: node.source.value, names: (node.specifiers ?? []).map(localName) })
    if (node.type.startsWith('Export')) exports.push(...exportedNames(node))
    const declared = node.declaration ?? node
    const { type, start, end, async = false, params, declarations: variables } = declared
    if (type === 'FunctionDeclaration') {
      const name = declared.id?.name ?? 'default'
      declarations.push({ kind: 'function', name, start, end, async, parameterCount: params.length })
    } else if (type === 'VariableDeclaration') {
      for (const { id, init } of variables) {
        const isRequire = init?.type === 'CallExpression' && init.callee.name === 'require'
        if (isRequire) imports.push({ from: String(init.arguments[0]?.value), names: [id.name ?? '*'] })
        else declarations.push({ kind: declared.kind, name: id.name ?? '*', start, end })
      }
    }
  }
  return { imports, exports, declarations, lineCount: text.split('\n').length, sizeBytes: text.length }
}

/** @param {string} text */
export function treeOf(text) {
  for (const sourceType of /** @type {const} */ (['module', 'script'])) {
    try {
      return parseWithAcorn(text, { ecmaVersion: 'latest', sourceType, allowHashBang: true })
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return undefined
}

/** @param {string} path */
export function readSource(path) {
  const text = readFileSync(path, 'utf8')
  return text.length <= MAX_SOURCE_BYTES ? text : undefined
}

/** Data as every peer can take it: nodes are instances of classes, literals hold regular expressions and BigInts. */
export function plain(/** @type {unknown} */ value) {
  return JSON.parse(JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)))
}

/** @param {number} i */
export const keyAt = i => `/home/user/projects/p${i % 97}/src/modules/file-${i}.js`

/**
 * The i-th of any number of different values of realistic size.
 *
 * @param {readonly object[]} summaries
 * @param {number} i
 */
export const valueAt = (summaries, i) => ({ ...summaries[i % summaries.length], path: keyAt(i) })

/** @param {any} node an import or export specifier */
const localName = node => node.exported?.name ?? node.local?.name ?? '*'

/** @param {any} node an export declaration */
function exportedNames({ type, specifiers = [], declaration }) {
  if (type === 'ExportDefaultDeclaration') return ['default']
  const declared = declaration?.declarations?.map((/** @type {any} */ { id }) => id.name) ?? [declaration?.id?.name]
  return [...specifiers.map(localName), ...declared].filter(Boolean)
}

/** @template T @param {T[]} list */
function shuffled(list) {
  let state = 12345
  for (let i = list.length - 1; i > 0; i--) {
    state = (state * 1103515245 + 12345) & 0x7fffffff
    const other = state % (i + 1)
    ;[list[i], list[other]] = [/** @type {T} */ (list[other]), /** @type {T} */ (list[i])]
  }
  return list
}
