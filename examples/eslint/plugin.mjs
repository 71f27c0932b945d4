// A plugin with one rule: no file may import itself by way of others.
//
// What it says of a file depends on many other files, and on text that isn't saved yet. The cache records which, so the rule keeps
// nothing itself. It is right in an editor, where files change while it lives, and in the worker threads of `--concurrency`.

import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { namespaceSync } from 'wicked-cache'

const require = createRequire(import.meta.url)
const version = '1.0.0'
const cache = namespaceSync('eslint-plugin-cycles', { version })

/** The files that a file imports, seen from its directory: other checkouts find the result, too. */
function importsOf(file, source) {
  return cache.analyzeSync('imports', source === undefined ? file : { path: file, source }, ctx => {
    // Only here: where everything is cached, the parser isn't loaded.
    const { parse } = require('@babel/parser')
    const { body } = parse(ctx.source, { sourceType: 'module', errorRecovery: true }).program
    const specifiers = new Set(body.map(({ source }) => source?.value).filter(name => name?.startsWith('.')))
    // Which file `./a` means depends on which files there are.
    const targetOf = specifier =>
      [specifier, `${specifier}.js`, `${specifier}/index.js`].find(
        name => name.endsWith('.js') && ctx.exists(join(dirname(file), name)),
      )
    return [...specifiers].map(specifier => ({ specifier, target: targetOf(specifier) }))
  })
}

const targetsOf = (file, source) =>
  importsOf(file, source)
    .filter(({ target }) => target !== undefined)
    .map(({ specifier, target }) => ({ specifier, target: join(dirname(file), target) }))

/** For each import that leads back to the file, the shortest way. */
function cyclesOf(file, source) {
  return cache.analyzeSync('cycles', { path: file, source }, () => {
    const nameOf = target => relative(dirname(file), target)
    const ways = targetsOf(file, source).map(({ specifier, target }) => [specifier, wayBetween(target, file)])
    return Object.fromEntries(ways.filter(([, way]) => way).map(([specifier, way]) => [specifier, way.map(nameOf)]))
  })
}

function wayBetween(start, end) {
  const ways = new Map([[start, [start]]])
  for (const [file, way] of ways) {
    if (file === end) return way
    for (const { target } of targetsOf(file)) if (!ways.has(target)) ways.set(target, [...way, target])
  }
}

const noCycle = {
  meta: { type: 'problem', schema: [], messages: { cycle: 'The file imports itself: {{ way }}.' } },
  create(context) {
    const cycles = cyclesOf(context.filename, context.sourceCode.text)
    const check = node => {
      const way = cycles[node.source?.value]
      if (way) context.report({ node, messageId: 'cycle', data: { way: way.join(' > ') } })
    }
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check }
  },
}

export default { meta: { name: 'eslint-plugin-cycles', version }, rules: { 'no-cycle': noCycle } }
