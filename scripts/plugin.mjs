// Builds plugin/dist/: the command line, the library and chokidar in one file, for a plugin that is copied from place to place
// and has no node_modules. Each file of dist/ becomes a function that runs when the file is first required.
//
// Node reads all of the text at each start, so it is minified. The functions that every process needs are in parentheses, by which
// V8 knows to compile them at once: else it would parse them twice.
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const ENTRY = 'cli.cjs'
const NEEDED_AT_ONCE = [ENTRY, 'cli-serve.cjs', 'index.cjs']

/**
 * Returns what esbuild returned for chokidar.
 *
 * @param {typeof import('esbuild')} esbuild
 * @param {{ root: string, version: string }} program
 */
export async function buildPlugin({ build, transform }, { root, version }) {
  const directory = join(root, 'plugin', 'dist')
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const options = { format: 'cjs', legalComments: 'none', minify: true, platform: 'node', target: 'node20.19' }
  const chokidar = await build({
    ...options,
    absWorkingDir: root,
    bundle: true,
    entryPoints: ['chokidar'],
    metafile: true,
    outfile: 'chokidar.cjs',
    write: false,
  })
  const texts = new Map([['chokidar.cjs', chokidar.outputFiles[0].text]])
  const siblings = readdirSync(join(root, 'dist', version)).map(name => join(version, name))
  for (const path of [ENTRY, 'index.cjs', ...siblings]) {
    const text = readFileSync(join(root, 'dist', path), 'utf8').replace(/^#!.*/, '')
    const { code } = await transform(text.replaceAll('import("chokidar")', 'require("./chokidar.cjs")'), options)
    texts.set(basename(path), code)
  }
  const functions = [...texts].map(([name, text]) => {
    const code = `function (module, exports, require) {\n${text}}`
    return `${JSON.stringify(name)}: ${NEEDED_AT_ONCE.includes(name) ? `(${code})` : code},`
  })
  const outfile = join(directory, 'wicked-cache.cjs')
  writeFileSync(
    outfile,
    `#!/usr/bin/env node
'use strict';
(function () {
const modules = {}
function load(request) {
  const name = request.slice(request.lastIndexOf('/') + 1)
  if (!Object.hasOwn(files, name)) return require(request)
  if (!modules[name]) files[name]((modules[name] = { exports: {} }), modules[name].exports, load)
  return modules[name].exports
}
const files = {
${functions.join('\n')}
}
load(${JSON.stringify(ENTRY)})
})()
`,
  )
  chmodSync(outfile, 0o755)
  return chokidar
}

/** The licences of what is inside ask to go with it. */
export function copyLicences(root) {
  const directory = join(root, 'plugin', 'dist')
  copyFileSync(join(root, 'LICENSE'), join(directory, 'LICENSE'))
  copyFileSync(join(root, 'dist', 'THIRD-PARTY-LICENSES.txt'), join(directory, 'THIRD-PARTY-LICENSES.txt'))
}
