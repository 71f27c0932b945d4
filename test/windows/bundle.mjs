// Bundles one file of tests with all that it imports, for a Node that has none of the tools.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const require = createRequire(import.meta.url)
const packageFile = (name, file) =>
  require.resolve(name).replace(new RegExp(`(node_modules.${name}).*`), (_all, start) => join(start, file))

/** With `results`, the bundle is a program that runs the tests and writes there; `windowsPath` gives a path as it is for Windows. */
export async function bundle({ build, root, entry, outfile, results, worker, windowsPath }) {
  const path = join(root, entry)
  const program = `
    import { runTests } from ${JSON.stringify(join(root, 'test', 'windows', 'vitest.ts'))}
    await runTests(${JSON.stringify(windowsPath(path))}, ${JSON.stringify(results)}, () => import(${JSON.stringify(path)}))
    process.exit(0)`
  await build({
    ...(results ? { stdin: { contents: program, resolveDir: root } } : { entryPoints: [path] }),
    absWorkingDir: root,
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    logLevel: 'warning',
    // For CommonJS in the bundle.
    banner: {
      js: "import { createRequire as createRequireOf } from 'node:module'; const require = createRequireOf(import.meta.url);",
    },
    alias: {
      vitest: join(root, 'test', 'windows', 'vitest.ts'),
      'cbor-x/decode': packageFile('cbor-x', 'decode.js'),
      'cbor-x/encode': packageFile('cbor-x', 'encode.js'),
      'cbor-x': packageFile('cbor-x', 'index.js'),
      '#xxhash.wasm': packageFile('xxhash-wasm', 'workerd/xxhash.wasm'),
    },
    loader: { '.wasm': 'binary' },
    plugins: [builtWorker(worker), mocked(path), ownPaths(root, windowsPath)],
  })
}

/** The tests of scenarios build a program for other processes: it is there already. */
const builtWorker = worker => ({
  name: 'built-worker',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^esbuild$/ }, () => ({ path: 'esbuild', namespace: 'built-worker' }))
    onLoad({ filter: /.*/, namespace: 'built-worker' }, () => ({
      contents: `
        import { copyFileSync } from 'node:fs'
        export const build = async ({ outfile }) => copyFileSync(${JSON.stringify(worker)}, outfile)`,
    }))
  },
})

/**
 * What `vi.mock` at the start of a line of the tests does for a module of the project. The factory uses nothing of its file; that
 * it is asynchronous would keep modules that import each other waiting.
 */
const mocked = path => ({
  name: 'mocked',
  setup({ onResolve, onLoad }) {
    const mocks = readFileSync(path, 'utf8').matchAll(/^vi\.mock\((?:import\()?'(\.[^']*)'\)?, async (.*?^\}\))\)$/gms)
    for (const [, module, asynchronous] of mocks) {
      const file = join(dirname(path), module.replace(/js$/, 'ts'))
      const exported = readFileSync(file, 'utf8').matchAll(/^export (?:const|function|class) (\w+)/gm)
      const list = Array.from(exported, ([, name]) => name).join()
      const contents = `
        import * as original from ${JSON.stringify(`${file}?original`)}
        const { ${list} } = (${asynchronous.replaceAll('await original()', 'original')})(original)
        export { ${list} }`
      onResolve({ filter: /\?original$/ }, args => ({ path: args.path.replace('?original', ''), suffix: '?original' }))
      onLoad({ filter: new RegExp(`${basename(file)}$`) }, args =>
        args.path === file && args.suffix === '' ? { contents, loader: 'ts', resolveDir: dirname(file) } : undefined,
      )
    }
  },
})

/** Each file's own place, which is another one in a bundle. */
const ownPaths = (root, windowsPath) => ({
  name: 'own-paths',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (!path.startsWith(root) || path.includes('node_modules')) return undefined
      const place = windowsPath(path)
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.dirname', () => JSON.stringify(windowsPath(dirname(path))))
        .replaceAll('import.meta.filename', () => JSON.stringify(place))
        .replaceAll('import.meta.url', () => JSON.stringify(urlOf(place)))
      return { contents, loader: 'ts' }
    })
  },
})

function urlOf(place) {
  return process.platform === 'win32' ? pathToFileURL(place).href : `file:///${place.replaceAll('\\', '/')}`
}
