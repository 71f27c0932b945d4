// Bundled into a plugin, with chokidar, and run without node_modules.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NODE, newDirectory, newProject, removeDirectories, run, tool } from './support.js'

let directory: string
beforeAll(() => {
  directory = newProject()
})
afterAll(removeDirectories)

type Format = 'esm' | 'cjs'
/** Bundles `entry` into the directory `out` and returns the file to run. */
type Bundle = (entry: string, format: Format, out: string) => Promise<string>

const node = (...args: string[]) => run(NODE, args, directory)
const fileIn = (out: string, format: Format) => join(out, `plugin.${format === 'esm' ? 'mjs' : 'cjs'}`)

/** A configuration as a module, for tools that are configured by one. */
function configure(name: string, code: string): string {
  const file = join(directory, `${name}.config.mjs`)
  writeFileSync(file, code)
  return file
}

const BUNDLERS: Record<string, Bundle> = {
  async esbuild(entry, format, out) {
    const file = fileIn(out, format)
    await run(
      tool('.bin', 'esbuild'),
      [entry, '--bundle', '--platform=node', `--format=${format}`, `--outfile=${file}`],
      directory,
    )
    return file
  },
  async rollup(entry, format, out) {
    const config = configure(
      'rollup',
      `import commonjs from ${JSON.stringify(tool('@rollup', 'plugin-commonjs', 'dist', 'es', 'index.js'))}
       import resolve from ${JSON.stringify(tool('@rollup', 'plugin-node-resolve', 'dist', 'es', 'index.js'))}
       export default { plugins: [resolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs()], external: /^node:/ }`,
    )
    const name = format === 'esm' ? 'plugin.mjs' : 'plugin.cjs'
    const args = ['--config', config, '--input', entry, '--dir', out, '--entryFileNames', name, '--format', format]
    await node(tool('rollup', 'dist', 'bin', 'rollup'), ...args)
    return join(out, name)
  },
  async rolldown(entry, format, out) {
    const file = fileIn(out, format)
    const options = { input: entry, platform: 'node', output: { file, format, codeSplitting: false } }
    const config = configure('rolldown', `export default ${JSON.stringify(options)}`)
    await node(tool('rolldown', 'bin', 'cli.mjs'), '--config', config)
    return file
  },
  async webpack(entry, format, out) {
    const isModule = format === 'esm'
    const output = {
      path: out,
      filename: isModule ? 'plugin.mjs' : 'plugin.cjs',
      ...(isModule ? { module: true, chunkFormat: 'module' } : { chunkFormat: 'commonjs' }),
    }
    const config = {
      mode: 'production',
      target: 'node20',
      entry: join(directory, entry),
      output,
      experiments: { outputModule: isModule },
      // Which takes long: once is enough.
      optimization: { minimize: entry === 'main.mjs' },
    }
    writeFileSync(
      join(directory, 'webpack.cjs'),
      `require(${JSON.stringify(tool('webpack'))})(${JSON.stringify(config)}, (error, stats) => {
         if (error || stats.hasErrors()) throw error ?? new Error(stats.toString())
       })`,
    )
    await node('webpack.cjs')
    return join(out, output.filename)
  },
  async ncc(entry, format, out) {
    await node(tool('@vercel', 'ncc', 'dist', 'ncc', 'cli.js'), 'build', entry, '--out', out)
    return join(out, format === 'esm' ? 'index.mjs' : 'index.cjs')
  },
  async 'bun build'(entry, format, out) {
    const file = fileIn(out, format)
    const args = ['build', entry, '--target=node', `--format=${format}`, `--outfile=${file}`]
    await run(tool('.bin', 'bun'), args, directory)
    return file
  },
}

describe.each(Object.entries(BUNDLERS))('%s', (name, bundle) => {
  test.each<[string, Format]>([
    ['main.mjs', 'esm'],
    ['main.cjs', 'cjs'],
    ...(name === 'ncc'
      ? []
      : ([
          ['asynchronous.mjs', 'cjs'],
          ['main.cjs', 'esm'],
        ] as [string, Format][])),
  ])('%s as %s', async (entry, format) => {
    // The same without await at its top level, which CommonJS doesn't have.
    const code = `import fs from 'node:fs'
      import * as library from 'wicked-cache'
      import exercise from './exercise.cjs'
      exercise(library, { dir: process.env.CACHE_DIR, fs }).then(console.log)`
    writeFileSync(join(directory, 'asynchronous.mjs'), code)
    const out = newDirectory()
    mkdirSync(out, { recursive: true })
    const file = await bundle(entry, format, out)
    expect(await run(NODE, [file], out)).toBe('all is well\n')
  })
})
