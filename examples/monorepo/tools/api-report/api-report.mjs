#!/usr/bin/env node
// Prints all names that a package exports, and the file of each. pnpm runs it in every package; it follows exports into the others.

import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { namespaceSync } from 'wicked-cache'

const require = createRequire(import.meta.url)
const cache = namespaceSync('api-report', { version: '1.0.0' })

/** What a file declares, and what it passes on from others: `{ from, names }`, without names for all. */
function exportsOf(file) {
  const compute = ({ source }) => {
    const { parse } = require('@babel/parser')
    const { body } = parse(source, { sourceType: 'module' }).program
    return { own: body.flatMap(declaredBy), others: body.flatMap(passedOnBy) }
  }
  // Where the file is makes no difference: otherwise `src/a.js`, and `../streams/src/a.js` of a sibling, would be two questions.
  return cache.analyzeSync('exports', file, compute, { anywhere: true })
}

function declaredBy({ type, declaration, specifiers = [], source }) {
  if (type === 'ExportDefaultDeclaration') return ['default']
  if (type !== 'ExportNamedDeclaration' || source) return []
  const declared = declaration?.declarations?.map(({ id }) => id) ?? (declaration ? [declaration.id] : [])
  return [...declared, ...specifiers.map(({ exported }) => exported)].map(({ name }) => name)
}

function passedOnBy({ type, specifiers, source }) {
  if (type === 'ExportAllDeclaration') return [{ from: source.value }]
  if (type !== 'ExportNamedDeclaration' || !source) return []
  return [{ from: source.value, names: specifiers.map(({ local, exported }) => [local.name, exported.name]) }]
}

/** Not cached: Node knows best what a name leads to, and is quick. */
function fileOf(from, file) {
  if (!from.startsWith('.')) return createRequire(file).resolve(from)
  return from.endsWith('.js') ? join(dirname(file), from) : join(dirname(file), `${from}.js`)
}

function namesOf(file) {
  const { own, others } = exportsOf(file)
  const passedOn = others.flatMap(({ from, names }) => {
    const found = namesOf(fileOf(from, file))
    if (!names) return found
    return names.flatMap(([local, name]) => found.filter(each => each.name === local).map(each => ({ ...each, name })))
  })
  return [...own.map(name => ({ name, file })), ...passedOn]
}

for (const { name, file } of namesOf(resolve(process.argv[2]))) {
  console.log(name, file.replace(dirname(process.cwd()), ''))
}
