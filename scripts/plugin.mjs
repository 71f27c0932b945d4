// Builds plugin/dist/: the command line, the library and chokidar in one file, for a plugin that is copied from place to place
// and has no node_modules. Each file of dist/ becomes a function that runs when it is first needed, as the file would.
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Returns what esbuild returned.
 *
 * @param {typeof import('esbuild').build} build
 * @param {string} root
 */
export async function buildPlugin(build, root) {
  const directory = join(root, 'plugin', 'dist')
  rmSync(directory, { recursive: true, force: true })
  const result = await build({
    absWorkingDir: root,
    bundle: true,
    entryPoints: ['dist/cli.cjs'],
    format: 'cjs',
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    // Node reads all of the text at each start.
    minify: true,
    outfile: 'plugin/dist/wicked-cache.cjs',
    platform: 'node',
    target: 'node20.19',
  })
  return result
}

/** The licences of what is inside ask to go with it. */
export function copyLicences(root) {
  for (const name of ['THIRD-PARTY-LICENSES.txt', 'LICENSE']) {
    const from = join(root, ...(name === 'LICENSE' ? [name] : ['dist', name]))
    copyFileSync(from, join(root, 'plugin', 'dist', name))
  }
}
