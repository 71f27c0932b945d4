// A plugin that lists what a file brings in and declares, with lines: what an editor shows beside the text.

import { importsOf } from './imports.mjs'
import { PARSER_VERSION, parseText, suffixOf } from './parse.mjs'

/** @typedef {import('@babel/types').Node} Node */
/** @typedef {'function' | 'class' | 'interface' | 'type' | 'enum' | 'namespace' | 'variable' | 'export'} SymbolKind */
/** @typedef {{ kind: SymbolKind, name: string, line: number, endLine: number, isExported: boolean }} OutlineSymbol */
/** @typedef {import('./imports.mjs').ImportList & { symbols: OutlineSymbol[] }} Outline */

const PLUGIN_VERSION = '1.0.0'

/**
 * @param {import('wicked-cache').Cache} cache
 * @param {typeof parseText} [parse]
 */
export function createOutline(cache, parse = parseText) {
  const entries = cache.namespace('outline', { version: `${PLUGIN_VERSION}+parser.${PARSER_VERSION}` })

  return {
    entries,

    /**
     * @param {string} path
     * @returns {Promise<Outline>}
     */
    async analyze(path) {
      /** @type {{ source: string, parsed: Promise<import('./parse.mjs').Parsed> } | undefined} */
      let last
      /** @param {import('wicked-cache').AnalyzeContext} context */
      const parseOnce = ({ source }) => {
        // The file may be edited between the two analyses: each is of the text that it was given.
        if (last?.source !== source) last = { source, parsed: parse(source, suffix) }
        return last.parsed
      }
      // Of the path, the suffix alone counts: it is an input, and an equal file elsewhere is a hit.
      const suffix = suffixOf(path)
      const options = { inputs: suffix, anywhere: true }
      // Two analyses, because the imports come from a package that other plugins use as well: each of those caches the same
      // list for the same text, and equal values are stored once, whichever plugin sets them. In one value with the symbols,
      // which no other plugin computes, the list would be stored again.
      const list = await entries.analyze('imports', path, async ctx => importsOf(await parseOnce(ctx)), options)
      const symbols = await entries.analyze('symbols', path, async ctx => symbolsOf(await parseOnce(ctx)), options)
      return { ...list, symbols }
    },
  }
}

/**
 * @param {import('./parse.mjs').Parsed} parsed
 * @returns {OutlineSymbol[]}
 */
const symbolsOf = parsed => ('failure' in parsed ? [] : symbolsIn(parsed.program.body))

/** @type {Record<string, SymbolKind>} */
const KINDS = {
  FunctionDeclaration: 'function',
  TSDeclareFunction: 'function',
  ClassDeclaration: 'class',
  TSInterfaceDeclaration: 'interface',
  TSTypeAliasDeclaration: 'type',
  TSEnumDeclaration: 'enum',
  TSModuleDeclaration: 'namespace',
}

/**
 * @param {Node[]} statements
 * @returns {OutlineSymbol[]}
 */
function symbolsIn(statements) {
  return statements.flatMap(statement => {
    switch (statement.type) {
      case 'ExportNamedDeclaration':
        return statement.declaration
          ? declaredBy(statement.declaration, true)
          : statement.specifiers.map(({ exported }) => symbol('export', exported, statement, true))
      case 'ExportDefaultDeclaration': {
        const [declared] = declaredBy(statement.declaration, true)
        return [declared ?? symbol('export', 'default', statement, true)]
      }
      case 'ExportAllDeclaration':
        return [symbol('export', '*', statement, true)]
      case 'TSExportAssignment':
        return [symbol('export', '=', statement, true)]
      default:
        return declaredBy(statement, false)
    }
  })
}

/**
 * @param {Node} node
 * @param {boolean} isExported
 * @returns {OutlineSymbol[]}
 */
function declaredBy(node, isExported) {
  if (node.type === 'VariableDeclaration') {
    return node.declarations.map(({ id, init }) => symbol(kindOfVariable(init), id, node, isExported))
  }
  const kind = KINDS[node.type]
  if (!kind) return []
  // Only what is exported as default may have no name.
  const id = 'id' in node && node.id ? node.id : 'default'
  const inner = node.type === 'TSModuleDeclaration' ? symbolsIn(node.body.body) : []
  return [symbol(kind, id, node, isExported), ...inner]
}

/**
 * @param {Node | null | undefined} init
 * @returns {SymbolKind}
 */
function kindOfVariable(init) {
  if (init?.type === 'ArrowFunctionExpression' || init?.type === 'FunctionExpression') return 'function'
  return init?.type === 'ClassExpression' ? 'class' : 'variable'
}

/**
 * @param {SymbolKind} kind
 * @param {Node | string} id
 * @param {Node} node
 * @param {boolean} isExported
 * @returns {OutlineSymbol}
 */
function symbol(kind, id, node, isExported) {
  return { kind, name: nameOf(id), line: node.loc?.start.line ?? 0, endLine: node.loc?.end.line ?? 0, isExported }
}

/**
 * @param {Node | string} id
 * @returns {string}
 */
function nameOf(id) {
  if (typeof id === 'string') return id
  if (id.type === 'Identifier') return id.name
  if (id.type === 'StringLiteral') return id.value
  if (id.type === 'TSQualifiedName') return `${nameOf(id.left)}.${nameOf(id.right)}`
  // A destructuring pattern binds any number of names, and has none itself.
  return id.type === 'ObjectPattern' ? '{…}' : '[…]'
}
