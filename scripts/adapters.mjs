// Builds dist/adapters/: each adapter as CommonJS, and an ES module and declarations for both on top of it. They use the library
// that is built beside them.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'

const require = createRequire(import.meta.url)
const LIBRARY = '../src/index.js'

/** The subpaths of the package's `exports` that are adapters. */
export function adapterNames(root) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.keys(exports).flatMap(name => /^\.\/([\w-]+)$/.exec(name)?.[1] ?? [])
}

/** Returns what esbuild returned. */
export async function buildAdapters(build, { root, options }) {
  const names = adapterNames(root)
  const result = await build({
    ...options,
    entryPoints: names.map(name => join('adapters', `${name}.ts`)),
    outdir: join('dist', 'adapters'),
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    metafile: true,
    // `import()` must stay one: hosts may be ES modules.
    supported: { 'dynamic-import': true },
    plugins: [{ name: 'library-beside-it', setup: useBuiltLibrary }],
  })
  for (const name of names) {
    const { default: standard, ...named } = require(join(root, 'dist', 'adapters', `${name}.cjs`))
    writeFileSync(
      join(root, 'dist', 'adapters', `${name}.js`),
      [
        `import adapter from './${name}.cjs'`,
        '',
        `export const { ${Object.keys(named).join(', ')} } = adapter`,
        ...(standard === undefined ? [] : ['export default adapter.default']),
        '',
      ].join('\n'),
    )
  }
  return result
}

function useBuiltLibrary({ onResolve }) {
  onResolve({ filter: /\/src\// }, ({ path, importer }) => {
    if (path !== LIBRARY) throw new Error(`${importer} imports ${path}: only ${LIBRARY} is allowed`)
    return { path: '../index.cjs', external: true }
  })
}

/** Copies declarations that were made of the sources, for `import` and for `require`. */
export function writeAdapterTypes({ root, from }) {
  const directory = join(root, 'dist', 'adapters')
  mkdirSync(directory, { recursive: true })
  for (const file of readdirSync(from)) {
    const name = basename(file, '.d.ts')
    const text = `/// <reference types="node" />\n\n${readFileSync(join(from, file), 'utf8')}`
    const beside = text.replaceAll(LIBRARY, '../index.js')
    writeFileSync(join(directory, `${name}.d.ts`), beside)
    writeFileSync(join(directory, `${name}.d.cts`), beside.replace(/(['"]\.{1,2}\/[\w-]+)\.js(['"])/g, '$1.cjs$2'))
  }
}
