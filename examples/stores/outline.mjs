// Lists the classes and functions of a program's modules. Parsing takes longest, so the list of a module is kept by its text's digest. The
// program's cache is one of those that people use; below each of them is this one.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createCache } from './caches.mjs'

const require = createRequire(import.meta.url)

function outline(source) {
  const { parse } = require('@babel/parser')
  const { body } = parse(source, { sourceType: 'module' }).program
  const declarations = body.map(node => node.declaration ?? node)
  return declarations
    .filter(({ type }) => type === 'ClassDeclaration' || type === 'FunctionDeclaration')
    .map(({ id, loc }) => ({ name: id.name, line: loc.start.line }))
}

const [name, directory] = process.argv.slice(2)
const cache = await createCache(name)
const files = readdirSync(directory, { recursive: true }).filter(file => file.endsWith('.js'))
for (const file of files.sort()) {
  const source = readFileSync(join(directory, file), 'utf8')
  const key = createHash('sha256').update(source).digest('hex')
  let found = await cache.get(key)
  if (found === undefined) {
    found = outline(source)
    await cache.set(key, found)
  }
  for (const { name, line } of found) console.log(`${file}:${line} ${name}`)
}
