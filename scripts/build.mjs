// Builds dist/: the library and the command line as readable CommonJS with their build-time dependencies inside, an ES module
// on top of the library, and the type declarations.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'
import { buildPlugin, copyLicences } from './plugin.mjs'
import { buildWithSiblings } from './siblings.mjs'
import { writeTypes } from './types.mjs'
import { withOwnFunctions } from './wasm.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)
const packageDir = name => require.resolve(name).replace(new RegExp(`(node_modules.${name}).*`), '$1')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Loaded by the first call of one of its functions: files of dist/, and the source files that each begins with. */
const SIBLINGS = {
  encoder: 'src/encoding/encode.ts',
  'record-writer': 'src/encoding/record-writer.ts',
  'record-reader': 'src/encoding/record-reader.ts',
  'cbor-writer': 'src/encoding/cbor-writer.ts',
  'cbor-reader': 'src/encoding/cbor-reader.ts',
  answers: ['src/entries/answers.ts', 'src/entries/entry-digest.ts'],
  'foreign-json': 'src/encoding/foreign-json.ts',
  computing: 'src/compute/computing.ts',
  explain: ['src/namespace/explain.ts', 'src/namespace/find.ts'],
  glob: 'src/inputs/glob.ts',
  stats: 'src/namespace/stats.ts',
  'background-gc': 'src/gc/slices.ts',
  gc: 'src/gc/gc.ts',
  verify: 'src/verify/verify.ts',
  watcher: 'src/watcher/watcher.ts',
}

rmSync(join(root, 'dist'), { recursive: true, force: true })

const wasmWithOwnFunctions = {
  name: 'wasm-with-own-functions',
  setup({ onLoad }) {
    onLoad({ filter: /\.wasm$/ }, async ({ path }) => ({ contents: await withOwnFunctions(path), loader: 'binary' }))
  },
}

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  external: ['chokidar'],
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [wasmWithOwnFunctions],
  define: { 'import.meta.filename': '__filename' },
  alias: {
    // Plain JavaScript entry: the "node" one also tries to load an optional native addon.
    'cbor-x/decode': join(packageDir('cbor-x'), 'decode.js'),
    'cbor-x/encode': join(packageDir('cbor-x'), 'encode.js'),
    '#xxhash.wasm': join(packageDir('xxhash-wasm'), 'workerd', 'xxhash.wasm'),
  },
}
const bundles = await buildWithSiblings(build, {
  options: shared,
  root,
  entry: 'src/index.ts',
  core: 'dist/index.cjs',
  // A process that outlives an upgrade must not find files of another version: it finds none.
  directory: `dist/${version}`,
  errors: 'src/base/errors.ts',
  siblings: SIBLINGS,
  lenders: ['encoder', 'record-reader', 'cbor-reader'],
  inCore: ['src/base/wait.ts', 'src/encoding/builtin.ts'],
  isBundled: true,
})
const names = Object.keys(require(join(root, 'dist', 'index.cjs')))
// Node looks for the names of exports in the CommonJS that an ES module imports, until Node 24 in JavaScript: 4 times as long as
// loading the core takes. In this file there are none, and it doesn't look behind it.
writeFileSync(join(root, 'dist', 'import.cjs'), "const library = require('./index.cjs')\nmodule.exports = library\n")
writeFileSync(
  join(root, 'dist', 'index.js'),
  `import library from './import.cjs'\n\nexport const { ${names.join(', ')} } = library\nexport default library\n`,
)

/** The command line uses the library that is built beside it: a second copy would be another store with other state. */
const libraryBesideIt = {
  name: 'library-beside-it',
  setup(cli) {
    cli.onResolve({ filter: /\/src\// }, ({ path, importer }) => {
      if (!path.endsWith('/src/index.js')) throw new Error(`${importer} imports ${path}: only src/index.js is allowed`)
      return { path: './index.cjs', external: true }
    })
  },
}
bundles.push(
  ...(await buildWithSiblings(build, {
    options: {
      ...shared,
      plugins: [libraryBesideIt],
      // yargs is an ES module, and `import()` of the library would start Node's loader for these.
      supported: { 'dynamic-import': false },
      define: {
        'process.env.WICKED_CACHE_BUILD_VERSION': JSON.stringify(version),
        'import.meta.url': '__fileUrl',
        'import.meta.filename': '__filename',
      },
      inject: ['scripts/file-url.js'],
      alias: {
        y18n: join(root, 'cli', 'english.ts'),
        'string-width': join(root, 'cli', 'width.ts'),
      },
    },
    root,
    entry: 'cli/main.ts',
    core: 'dist/cli.cjs',
    start: 'main()',
    directory: `dist/${version}`,
    siblings: {
      'cli-program': 'cli/program.ts',
      'cli-serve': 'cli/serve/server.ts',
      'cli-run': 'cli/recording/run-cached.ts',
    },
  })),
)
const program = join(root, 'dist', 'cli.cjs')
writeFileSync(program, `#!/usr/bin/env node\n${readFileSync(program, 'utf8')}`)
chmodSync(program, 0o755)
bundles.push(await buildPlugin({ build, transform }, { root, version }))

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
copyLicences(root)

writeTypes({
  root,
  tsc: join(packageDir('typescript'), 'bin', 'tsc'),
  names,
  withDefault: join(root, 'dist', 'index.d.ts'),
  withoutDefault: join(root, 'dist', 'index.d.cts'),
})
