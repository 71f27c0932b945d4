// A hook of Claude Code that runs after each edit, as a process of its own: it tells which names the edited file exports, so
// that a renamed or lost one is noticed. Parsing takes longer than all the rest, so the result is cached by the file's content.
//
// hooks.json says when it runs; it reads the event from standard input and writes its answer to standard output.

const { existsSync, readFileSync } = require('node:fs')
// V8's code cache of Node 22.1 and later: a hook starts anew each time.
require('node:module').enableCompileCache?.()
const { openCacheSync } = require('wicked-cache')

const VERSION = '1.1.0'

/** @param {string} source */
function exportsOf(source) {
  // Only here: a hit loads no parser.
  const { parse } = require('@babel/parser')
  try {
    const { body } = parse(source, {
      sourceType: 'module',
      plugins: ['typescript', 'jsx'],
      errorRecovery: true,
    }).program
    return body.flatMap(namesOf)
  } catch (error) {
    // In the middle of an edit. That is a result, too.
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function namesOf({ type, declaration, specifiers, source }) {
  if (type === 'ExportDefaultDeclaration') return ['default']
  if (type === 'ExportAllDeclaration') return [`* from ${source.value}`]
  if (type !== 'ExportNamedDeclaration') return []
  const declared = declaration?.declarations?.map(({ id }) => id) ?? (declaration ? [declaration.id] : [])
  return [...declared.flatMap(boundBy), ...specifiers.map(({ exported }) => exported.name ?? exported.value)]
}

/** The names that a pattern binds: `a` and `b` of `{ x: [a], ...b }`. */
function boundBy(pattern) {
  if (pattern === null) return []
  const { name, left, argument, value, properties, elements } = pattern
  if (name !== undefined) return [name]
  return (properties ?? elements ?? [left ?? argument ?? value]).flatMap(boundBy)
}

function main() {
  const { tool_input: { file_path: file } = {} } = JSON.parse(readFileSync(0, 'utf8'))
  if (!/\.[cm]?[jt]sx?$/.test(file ?? '') || !existsSync(file)) return
  const cache = openCacheSync().namespace('exports-hook', { version: VERSION })
  const names = cache.analyzeSync('exports', file, ({ source }) => exportsOf(source))
  if (names === null) return
  const additionalContext = `${file} exports ${names.length === 0 ? 'nothing' : names.join(', ')}.`
  console.log(JSON.stringify({ hookSpecificOutput: { hookEventName: 'PostToolUse', additionalContext } }))
}

main()
