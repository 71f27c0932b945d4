// What plugins make of a source file: a small summary (imports, exports, declarations), or the whole syntax tree.

import { parse as parseWithBabel } from '@babel/parser'
import { parse as parseWithAcorn } from 'acorn'

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

/** @param {string} text of a TypeScript module */
export const typedTreeOf = text => parseWithBabel(text, { sourceType: 'module', plugins: ['typescript'] })

/** Data as every peer can take it: nodes are instances of classes, literals hold regular expressions and BigInts. */
export function plain(/** @type {unknown} */ value) {
  return JSON.parse(JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)))
}

/** @param {any} node an import or export specifier */
const localName = node => node.exported?.name ?? node.local?.name ?? '*'

/** @param {any} node an export declaration */
function exportedNames({ type, specifiers = [], declaration }) {
  if (type === 'ExportDefaultDeclaration') return ['default']
  const declared = declaration?.declarations?.map((/** @type {any} */ { id }) => id.name) ?? [declaration?.id?.name]
  return [...specifiers.map(localName), ...declared].filter(Boolean)
}
