// What an editor's server does: one process, files that change, text that isn't saved. Prints what the rule says each time.

import { readFileSync, writeFileSync } from 'node:fs'
import { ESLint } from 'eslint'

const filePath = 'src/util/isFunction.js'
const eslint = new ESLint()

async function lint(what, text) {
  const [{ messages }] = await eslint.lintText(text, { filePath })
  console.log(`${what}: ${messages.map(({ message }) => message).join(' ') || 'no cycle'}`)
}

const saved = readFileSync(filePath, 'utf8')
const unsaved = `import '../Observable'\n${saved}`
await lint('as it is saved', saved)
await lint('with an import that is not saved', unsaved)
await lint('without it again', saved)

// Another program, or another buffer of the editor, saves one of the files on the way.
const other = 'src/Observable.js'
const text = readFileSync(other, 'utf8')
writeFileSync(other, text.replaceAll(/import .*;\n/g, ''))
await lint('once the other file imports nothing', unsaved)
writeFileSync(other, text)
await lint('once it imports again', unsaved)
