// Lists the comments with TODO, and the function or class that each is in.

import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { namespaceSync } from 'wicked-cache'

const require = createRequire(import.meta.url)
const cache = namespaceSync('todo-list', { version: '1.0.0' })

/** Portable: the result is found wherever the same content has the same path in the project. */
function todosOf(file) {
  return cache.analyzeSync('todos', file, ({ source }) => {
    const { parse } = require('@babel/parser')
    const { comments, program } = parse(source, { sourceType: 'module', plugins: ['typescript'] })
    const isAround = (node, comment) => node.start <= comment.start && comment.end <= node.end
    return comments
      .filter(({ value }) => /\bTODO\b/.test(value))
      .map(comment => {
        const statement = program.body.find(node => isAround(node, comment))
        const name = (statement?.declaration ?? statement)?.id?.name ?? 'the module'
        return { line: comment.loc.start.line, name, text: /TODO.*/.exec(comment.value)[0] }
      })
  })
}

const [directory] = process.argv.slice(2)
const names = readdirSync(directory, { recursive: true }).filter(name => name.endsWith('.ts'))
for (const name of names.sort()) {
  for (const todo of todosOf(join(directory, name))) console.log(`${name}:${todo.line} ${todo.name}: ${todo.text}`)
}
