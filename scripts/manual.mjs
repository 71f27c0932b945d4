// The manual page of the command line, made of what its `--help` says.
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/**
 * @param {typeof import('esbuild').build} build
 * @param {{ root: string, version: string, options: import('esbuild').BuildOptions }} program `options` are those of the command line
 */
export async function writeManual(build, { root, version, options }) {
  const { outputFiles } = await build({
    ...options,
    entryPoints: ['cli/manual.ts'],
    format: 'cjs',
    outfile: join(root, 'dist', 'manual.cjs'),
    write: false,
  })
  const module = { exports: {} }
  const load = new Function('module', 'exports', 'require', '__filename', outputFiles[0].text)
  const file = join(root, 'dist', 'manual.cjs')
  load(module, module.exports, createRequire(file), file)
  writeFileSync(join(root, 'dist', 'wicked-cache.1'), module.exports.manualOf(version))
}
