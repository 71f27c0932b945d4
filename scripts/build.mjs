// Builds dist/: the library and the CLI, minified ES modules with their build-time dependencies inside, and the type
// declarations.
//
// A fresh process pays for every file that it opens before its first get, and 5 ms for each 100 KB that V8 parses. So all is
// one file, in which the code stands as texts (`parts.mjs`). Bundlers get `bundle.js`, which is code alone.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { buildInParts } from './parts.mjs'
import { withOwnFunctions } from './wasm.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)
const packageDir = name => require.resolve(name).replace(new RegExp(`(node_modules.${name}).*`), '$1')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

rmSync(join(root, 'dist'), { recursive: true, force: true })

/**
 * cbor-x compiles a reader for each shape of object that it meets three times, which pays where messages share their shapes:
 * those lists are marked. A get of a value that defines its own took 30 % longer for it.
 */
const compilingMarked = {
  name: 'compiling-marked',
  setup({ onLoad }) {
    onLoad({ filter: /cbor-x[\\/]decode\.js$/, namespace: 'file' }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      const condition = 'this.slowReads++ >= inlineObjectReadThreshold'
      if (!text.includes(condition)) throw new Error(`${path} has changed: it compiles readers elsewhere`)
      // Its test for `eval` is ours to make, when it is needed.
      const contents = text.replace("new Function('')", '')
      return { contents: contents.replace(condition, 'this.slowReads++ >= this.compiledAfter') }
    })
  },
}

const wasmWithOwnFunctions = {
  name: 'wasm-with-own-functions',
  setup({ onLoad }) {
    onLoad({ filter: /\.wasm$/ }, async ({ path }) => ({ contents: await withOwnFunctions(path), loader: 'binary' }))
  },
}

const shared = {
  absWorkingDir: root,
  bundle: true,
  minify: !process.argv.includes('--readable'),
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  external: ['chokidar'],
  legalComments: 'none',
  // An error that nobody catches is printed with the line that threw it.
  lineLimit: 120,
  logLevel: 'warning',
  metafile: true,
  plugins: [compilingMarked, wasmWithOwnFunctions],
  define: { 'process.env.WICKED_CACHE_BUILD_VERSION': JSON.stringify(version) },
  alias: {
    // Plain JavaScript entry: the "node" one also tries to load an optional native addon.
    'cbor-x/decode': join(packageDir('cbor-x'), 'decode.js'),
    'cbor-x/encode': join(packageDir('cbor-x'), 'encode.js'),
    '#xxhash.wasm': join(packageDir('xxhash-wasm'), 'workerd', 'xxhash.wasm'),
  },
}
const entry = 'src/index.ts'
const whole = await build({ ...shared, entryPoints: [entry], outfile: 'dist/bundle.js' })
const bundles = [
  whole,
  ...(await buildInParts({
    build,
    root,
    options: shared,
    entry,
    exports: whole.metafile.outputs['dist/bundle.js'].exports,
    outfile: 'dist/index.js',
    loader: 'src/loading/parts.ts',
    doors: [
      'src/encoding/encode.ts',
      'src/namespace/explain.ts',
      'src/namespace/stats.ts',
      'src/watcher/watcher.ts',
      'src/gc/slices.ts',
      'src/gc/gc.ts',
      'src/files/overlay.ts',
      'src/verify/verify.ts',
    ],
  })),
]

/** Where the library keeps the code of its parts (`src/loading/parts.ts`); packages hold no empty directories. */
mkdirSync(join(root, 'dist', 'code-cache'))
writeFileSync(
  join(root, 'dist', 'code-cache', 'README.md'),
  "V8's code cache of the library, one file for each part of it and version of Node: https://v8.dev/blog/code-caching-for-devs.\n" +
    'All `.code` files may be deleted at any time. With `NODE_DISABLE_COMPILE_CACHE=1` none is read or written.\n',
)

/** The CLI uses the library that is built beside it: a second copy inside would be another store with other state. */
const libraryBesideIt = {
  name: 'library-beside-it',
  setup(cli) {
    cli.onResolve({ filter: /\/src\// }, ({ path, importer }) => {
      if (!path.endsWith('/src/index.js')) throw new Error(`${importer} imports ${path}: only src/index.js is allowed`)
      return { path: './index.js', external: true }
    })
  },
}
bundles.push(
  await build({
    ...shared,
    entryPoints: ['cli/main.ts'],
    outfile: 'dist/cli.js',
    alias: { y18n: join(root, 'cli', 'english.ts') },
    plugins: [libraryBesideIt],
  }),
)
chmodSync(join(root, 'dist', 'cli.js'), 0o755)

/** The licences of the packages inside the bundles ask to go with them. */
const packages = new Set(
  bundles.flatMap(({ metafile }) =>
    Object.keys(metafile.inputs).flatMap(input => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? []),
  ),
)
const notices = [...packages].sort().map(name => {
  const directory = join(root, 'node_modules', name)
  const { version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const file = readdirSync(directory).find(entry => /^licen[cs]e/i.test(entry))
  return `${name} ${version} (${license})\n\n${file ? readFileSync(join(directory, file), 'utf8').trim() : ''}\n`
})
writeFileSync(join(root, 'dist', 'THIRD-PARTY-LICENSES.txt'), notices.join(`\n${'-'.repeat(80)}\n\n`))

execFileSync(process.execPath, [join(packageDir('typescript'), 'bin', 'tsc'), '-p', 'tsconfig.types.json'], {
  cwd: root,
  stdio: 'inherit',
})
