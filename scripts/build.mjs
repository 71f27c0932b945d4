// Builds dist/: the library and the command line as readable CommonJS with their build-time dependencies inside, an ES module
// on top of the library, and the type declarations.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'
import { buildAdapters } from './adapters.mjs'
import { writeManual } from './manual.mjs'
import { buildPlugin, copyLicences } from './plugin.mjs'
import { buildWithSiblings } from './siblings.mjs'
import { writeTypes } from './types.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const require = createRequire(import.meta.url)
const packageDir = name => require.resolve(name).replace(new RegExp(`(node_modules.${name}).*`), '$1')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Loaded by the first call of one of its functions: files of dist/, and the source files that each begins with. */
const SIBLINGS = {
  inputs: [
    'src/inputs/snapshot.ts',
    'src/entries/input-lists.ts',
    'src/file-hashes/file-hashes.ts',
    'src/entries/answers.ts',
    'src/entries/answer-instead.ts',
    'src/entries/entry-digest.ts',
    'src/manifest/answer-key.ts',
    'src/manifest/answer-lookup.ts',
    'src/manifest/node.ts',
    'src/compute/computing.ts',
    'src/hashing/sha256.ts',
    'src/inputs/input-bytes.ts',
    'src/manifest/head-parts.ts',
    'src/inputs/entry-name.ts',
    'src/compute/paths.ts',
    'src/namespace/declared-files.ts',
    'src/entries/folded-inputs.ts',
    'src/files/directory-items.ts',
    'src/files/file-system.ts',
    'src/entries/files-of.ts',
    'src/entries/asker.ts',
    'src/cache/snapshot-means.ts',
    'src/cache/running-snapshot.ts',
    // A cache with a remote checks its options when it is opened; what a hit needs as well costs no file more.
    'src/remote/options.ts',
  ],
  'record-writer': 'src/encoding/record-writer.ts',
  'record-reader': 'src/encoding/record-reader.ts',
  'cbor-writer': 'src/encoding/cbor-writer.ts',
  'cbor-reader': 'src/encoding/cbor-reader.ts',
  scan: 'src/log/scan.ts',
  writing: [
    'src/encoding/encode.ts',
    'src/entries/entry-encoder.ts',
    'src/log-map/writing.ts',
    'src/log/batch.ts',
    'src/log/opening.ts',
    'src/log/seed-record.ts',
    'src/packs/pack-writer.ts',
    'src/packs/numbers.ts',
    'src/blobs/blob-writer.ts',
    'src/blobs/index-change.ts',
    'src/base/short-write.ts',
    'src/manifest/changes.ts',
    'src/hashing/xxh64.ts',
    'src/entries/write.ts',
    'src/namespace/setting.ts',
    'src/gc/upkeep.ts',
    'src/files/changes.ts',
    'src/files/changes-inside.ts',
    'src/files/persistence.ts',
  ],
  rewriting: ['src/log-map/succession.ts', 'src/log-map/maintenance.ts', 'src/packs/pack-scan.ts'],
  ownership: 'src/cache/ownership.ts',
  listing: [
    'src/log-map/table.ts',
    'src/log-map/listing.ts',
    'src/log-map/bucket-listing.ts',
    'src/log-map/prefixes.ts',
    'src/manifest/listing.ts',
    'src/manifest/key-parts.ts',
    'src/entries/absence.ts',
    'src/namespace/owned.ts',
    'src/counters/totals.ts',
  ],
  xxhash: 'src/hashing/wasm.ts',
  'shared-root': ['src/files/shared.ts', 'src/files/blind.ts'],
  suggestions: 'src/base/suggestions.ts',
  units: 'src/base/units.ts',
  'namespace-name': 'src/base/namespace-name.ts',
  'value-cache': 'src/entries/value-cache.ts',
  'foreign-json': 'src/encoding/foreign-json.ts',
  computing: [
    'src/compute/compute.ts',
    'src/namespace/read-as-input.ts',
    'src/compute/prefetch.ts',
    'src/cache/remote-slot.ts',
    'src/cache/configuration.ts',
  ],
  summary: 'src/cache/summary.ts',
  trace: 'src/entries/trace.ts',
  'entry-info': ['src/namespace/listing.ts', 'src/manifest/owner.ts'],
  explain: ['src/namespace/explain.ts', 'src/namespace/find.ts'],
  glob: 'src/inputs/glob.ts',
  comforts: 'src/namespace/comforts.ts',
  memory: 'src/files/memory.ts',
  'windows-files': 'src/files/patient.ts',
  'background-gc': 'src/gc/slices.ts',
  maintenance: ['src/cache/maintenance.ts', 'src/cache/limits.ts', 'src/namespace/stats.ts'],
  gc: ['src/gc/gc.ts', 'src/gc/leftovers.ts'],
  verify: 'src/verify/verify.ts',
  remote: [
    'src/remote/open.ts',
    'src/remote/keys.ts',
    'src/compute/remote.ts',
    'src/remote/breaker-file.ts',
    'src/counters/answer-times.ts',
  ],
  'remote-tools': 'src/cache/remote-tools.ts',
  'remote-file': 'src/remote/adapters/file.ts',
  'remote-http': 'src/remote/adapters/http.ts',
  'remote-s3': 'src/remote/adapters/s3.ts',
  'remote-from-store': 'src/remote/adapters/from-store.ts',
  'remote-redis': 'src/remote/adapters/redis.ts',
  watcher: 'src/watcher/watcher.ts',
}

rmSync(join(root, 'dist'), { recursive: true, force: true })

const shared = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  external: ['chokidar'],
  legalComments: 'none',
  logLevel: 'warning',
  loader: { '.wasm': 'binary' },
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
  lenders: [
    'writing',
    'record-reader',
    'cbor-reader',
    'writing',
    'inputs',
    'maintenance',
    'entry-info',
    'computing',
    'remote',
  ],
  inCore: ['src/base/wait.ts'],
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
/** The style and the script of a report are texts of the program. */
const pageTexts = {
  name: 'page-texts',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]cli[\\/]report[\\/]browser[\\/]/ }, async ({ path }) => ({
      contents: readFileSync(path, 'utf8'),
      loader: 'text',
    }))
  },
}
const cliOptions = {
  ...shared,
  plugins: [libraryBesideIt, pageTexts],
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
    '#report-style': join(root, 'cli', 'report', 'browser', 'report.css'),
    '#report-script': join(root, 'cli', 'report', 'browser', 'report.js'),
  },
}
bundles.push(
  ...(await buildWithSiblings(build, {
    options: cliOptions,
    root,
    entry: 'cli/main.ts',
    core: 'dist/cli.cjs',
    start: 'main()',
    directory: `dist/${version}`,
    siblings: {
      'cli-program': 'cli/program.ts',
      'cli-did-you-mean': ['cli/did-you-mean.ts', 'cli/nearest.ts'],
      'cli-serve': 'cli/serve/server.ts',
      'cli-run': 'cli/recording/run-cached.ts',
      'cli-report': ['cli/report/gather.ts', 'cli/report/page.ts', 'cli/report/open.ts'],
    },
    lenders: ['cli-program'],
  })),
)
const program = join(root, 'dist', 'cli.cjs')
writeFileSync(program, `#!/usr/bin/env node\n${readFileSync(program, 'utf8')}`)
chmodSync(program, 0o755)
await writeManual(build, { root, version, options: cliOptions })
bundles.push(await buildAdapters(build, { root, options: shared }))
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
