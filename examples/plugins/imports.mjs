// Which modules a file asks for, in all the ways there are.

/** @typedef {import('@babel/types').Node} Node */
/** @typedef {'import' | 'import type' | 're-export' | 'import()' | 'require'} ImportKind */
/** @typedef {{ kind: ImportKind, from: string, line: number }} Import */
/** @typedef {{ imports: Import[], failure?: string }} ImportList */

/**
 * In source order. A module whose name is worked out at run time is left out: there is no name to give. Of text that
 * cannot be parsed the list is empty, and says why.
 *
 * @param {import('./parse.mjs').Parsed} parsed
 * @returns {ImportList}
 */
export function importsOf(parsed) {
  if ('failure' in parsed) return { imports: [], failure: parsed.failure }
  const imports = []
  for (const node of nodesOf(parsed.program)) {
    const found = importIn(node)
    if (found?.from?.type !== 'StringLiteral') continue
    imports.push({ kind: found.kind, from: found.from.value, line: node.loc?.start.line ?? 0 })
  }
  return { imports }
}

/**
 * @param {Node} node
 * @returns {{ kind: ImportKind, from: Node | null | undefined } | undefined}
 */
function importIn(node) {
  switch (node.type) {
    case 'ImportDeclaration':
      return { kind: node.importKind === 'type' ? 'import type' : 'import', from: node.source }
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return { kind: 're-export', from: node.source }
    case 'ImportExpression':
      return { kind: 'import()', from: node.source }
    case 'TSImportType':
      return { kind: 'import type', from: node.argument }
    case 'TSExternalModuleReference':
      return { kind: 'require', from: node.expression }
    case 'CallExpression': {
      const isRequire = node.callee.type === 'Identifier' && node.callee.name === 'require'
      return isRequire ? { kind: 'require', from: node.arguments[0] } : undefined
    }
  }
}

/**
 * A node and all below it, parents first. With a stack of its own: generated code nests deeper than calls may.
 *
 * @param {Node} root
 * @returns {Generator<Node, void>}
 */
function* nodesOf(root) {
  const pending = [root]
  for (let node = pending.pop(); node; node = pending.pop()) {
    yield node
    // From the end, because the last one in is the first one out.
    for (const value of Object.values(node).reverse()) {
      if (isNode(value)) pending.push(value)
      else if (Array.isArray(value)) for (const item of value.toReversed()) if (isNode(item)) pending.push(item)
    }
  }
}

/**
 * @param {any} value
 * @returns {value is Node}
 */
const isNode = value => typeof value === 'object' && value !== null && typeof value.type === 'string'
