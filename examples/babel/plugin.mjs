// A plugin that completes relative imports, and refuses names that the other file doesn't export. Plugins can't wait, so it uses the
// calls that end in `Sync`. The exports of a file are found out once, however many files import it, and however many builds there are.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { namespaceSync } from 'wicked-cache'

const version = '1.0.0'

export default function checkedImports(babel) {
  // Another Babel may parse in another way.
  const cache = namespaceSync('babel-plugin-checked-imports', { version: `${version} ${babel.version}` })

  /** The names that a file exports; null if it takes some from others. */
  const exportsOf = file =>
    cache.analyzeSync('exports', file, ({ source }) => {
      const { body } = babel.parseSync(source, { sourceType: 'module', configFile: false, babelrc: false }).program
      return body.some(({ type }) => type === 'ExportAllDeclaration') ? null : body.flatMap(namesOf)
    })

  function check(path, state) {
    const { source, specifiers } = path.node
    if (!source?.value.startsWith('.')) return
    const found = ['', '.js', '/index.js']
      .map(suffix => source.value + suffix)
      .find(name => isFile(state.filename, name))
    if (!found) throw path.buildCodeFrameError(`There is no file ${source.value}`)
    const names = exportsOf(join(dirname(state.filename), found))
    for (const { type, imported } of specifiers) {
      if (names && type === 'ImportSpecifier' && !names.includes(imported.name)) {
        throw path.buildCodeFrameError(`${found} does not export ${imported.name}`)
      }
    }
    path.node.source.value = found
  }

  return { name: 'checked-imports', visitor: { ImportDeclaration: check, ExportNamedDeclaration: check } }
}

const isFile = (from, name) => name.endsWith('.js') && existsSync(join(dirname(from), name))

function namesOf({ type, declaration, specifiers = [] }) {
  if (type === 'ExportDefaultDeclaration') return ['default']
  if (type !== 'ExportNamedDeclaration') return []
  const declared = declaration?.declarations?.map(({ id }) => id) ?? (declaration ? [declaration.id] : [])
  return [...declared, ...specifiers.map(({ exported }) => exported)].map(({ name }) => name)
}
