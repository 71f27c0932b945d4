// What the cache saves in each host: builds of a generated project, each in a process of its own, without a cache, with an empty one
// and with a full one. CPU time, since other work on the machine has less influence on that. Prints a table of docs/hosts.md:
//
//   npm run test:hosts && test/hosts/node_modules/node-24/bin/node test/hosts/measure.mjs [esbuild …]
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const MODULES = 100
const RUNS = 3
const here = import.meta.dirname
const require = createRequire(join(here, 'package.json'))
const versionOf = name => JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json'), 'utf8')).version

/** A module of 1.5 KB in a syntax that has to be transformed. */
const moduleText = i => {
  const functions = Array.from(
    { length: 3 },
    (_, n) => `
export class Shape${n} {
  #sides = [${i}, ${n}]
  static of = (...sides) => Object.assign(new Shape${n}(), { ...sides })
  async sum(options = {}) {
    const { from = 0, to = this.#sides?.length ?? ${n}, ...rest } = options
    let total = 0
    for (const side of this.#sides.slice(from, to)) total += (await side) ** 2
    return { total, rest, text: \`shape ${i} \${total} of \${to - from}\` }
  }
}`,
  )
  return `${functions.join('\n')}\n`
}

const TRANSFORM = `
const babel = require('@babel/core')
const options = { presets: [['@babel/preset-env', { modules: false, targets: 'ie 11' }]], babelrc: false, configFile: false }
exports.transform = (code, filename) => babel.transformAsync(code, { ...options, filename, sourceMaps: true })`
const ROLLUP_PLUGIN = `
  const { transform } = require('./transform.cjs')
  const { cachePlugin } = require('wicked-cache/rollup')
  const babel = () => ({ name: 'babel', transform: async (code, id) => {
    if (!/src.m/.test(id)) return null
    const { code: text, map } = await transform(code, id)
    return { code: text, map }
  } })
  const plugin = process.argv[2] === 'cache' ? cachePlugin(babel, {}, { version: '1' }) : babel()`

/** A program for each host; its argument is `cache` or `plain`. */
const HOSTS = {
  Metro: {
    packages: ['metro'],
    text: `
      const Metro = require('metro')
      Metro.loadConfig({ config: require.resolve('./metro.config.cjs') })
        .then(config => Metro.runBuild(config, { entry: 'common/main.js', out: 'out.js', dev: false, minify: false }))`,
  },
  Vite: {
    packages: ['vite'],
    text: `${ROLLUP_PLUGIN}
      import('vite').then(({ build }) => build({ configFile: false, logLevel: 'silent', plugins: [plugin],
        build: { minify: false, lib: { entry: 'src/main.js', formats: ['es'], fileName: 'out' } } }))`,
  },
  Rollup: {
    packages: ['rollup'],
    text: `${ROLLUP_PLUGIN}
      require('rollup').rollup({ input: 'src/main.js', plugins: [plugin] }).then(bundle => bundle.generate({ format: 'es' }))`,
  },
  Rolldown: {
    packages: ['rolldown'],
    text: `${ROLLUP_PLUGIN}
      import('rolldown').then(async ({ rolldown }) => (await rolldown({ input: 'src/main.js', plugins: [plugin] })).generate({ format: 'es' })).then(() => process.exit())`,
  },
  esbuild: {
    packages: ['esbuild'],
    text: `
      const { transform } = require('./transform.cjs')
      const { readFileSync } = require('node:fs')
      const { cachePlugin } = require('wicked-cache/esbuild')
      const babel = () => ({ name: 'babel', setup: ({ onLoad }) => onLoad({ filter: /src.m\\d/ }, async ({ path }) => {
        return { contents: (await transform(readFileSync(path, 'utf8'), path)).code }
      }) })
      const plugin = process.argv[2] === 'cache' ? cachePlugin(babel, {}, { version: '1' }) : babel()
      require('esbuild').build({ entryPoints: ['src/main.js'], bundle: true, outfile: 'out.js', plugins: [plugin], logLevel: 'error' })`,
  },
  'webpack, babel-loader': {
    packages: ['webpack', 'babel-loader'],
    text: `
      const options = { presets: [['@babel/preset-env', { modules: false, targets: 'ie 11' }]] }
      const loader = process.argv[2] === 'cache' ? 'wicked-cache/babel' : 'babel-loader'
      require('webpack')({ entry: './src/main.js', mode: 'development', devtool: 'source-map', output: { path: __dirname + '/out' },
        module: { rules: [{ test: /src.m\\d+/, use: { loader, options } }] } }).run((error, stats) => { if (error || stats.hasErrors()) throw error ?? stats.toString() })`,
  },
  'Jest, babel-jest': {
    packages: ['jest', 'babel-jest'],
    text: `
      const transform = process.argv[2] === 'cache' ? ['wicked-cache/jest', { transformer: 'babel-jest' }] : 'babel-jest'
      const config = { rootDir: __dirname, transform: { 'src.*js$': transform }, testMatch: ['**/main.test.js'], testEnvironment: 'node' }
      require('jest').runCLI({ config: JSON.stringify(config), cache: false, silent: true, runInBand: true, reporters: [] }, [__dirname])
        .then(({ results }) => { if (!results.success) throw new Error('failed') })`,
  },
}

const project = mkdtempSync(join(tmpdir(), 'wicked-cache-measure-'))
const cacheDir = join(project, 'cache')
const write = (path, text) => {
  mkdirSync(join(project, path, '..'), { recursive: true })
  writeFileSync(join(project, path), text)
}
symlinkSync(join(here, 'node_modules'), join(project, 'node_modules'), 'junction')
write('package.json', '{"name": "project"}')
write('transform.cjs', TRANSFORM)
write(
  'metro-transformer.cjs',
  `const babel = require('@babel/core')
   const presets = [['@babel/preset-env', { targets: 'ie 11' }]]
   exports.transform = ({ filename, src }) => ({ ast: babel.transformSync(src, { ast: true, code: false, filename, presets: /common/.test(filename) ? presets : [], babelrc: false, configFile: false }).ast })`,
)
write(
  'metro.config.cjs',
  `const { MetroStore } = require('wicked-cache/metro')
   module.exports = {
     projectRoot: __dirname,
     watchFolders: [${JSON.stringify(realpathSync(join(here, 'node_modules', 'metro-runtime')))}],
     fileMapCacheDirectory: __dirname + '/map',
     maxWorkers: 1,
     reporter: { update() {} },
     transformer: { babelTransformerPath: require.resolve('./metro-transformer.cjs') },
     cacheStores: process.argv[2] === 'cache' ? [new MetroStore()] : [],
   }`,
)
write('babel.config.json', '{"presets": [["@babel/preset-env", {"targets": "ie 11"}]]}')
write(
  'cpu.cjs',
  `process.on('exit', () => {
     const { user, system } = process.cpuUsage()
     require('node:fs').writeFileSync(process.env.CPU_FILE, String(user + system))
   })`,
)
const names = Array.from({ length: MODULES }, (_, i) => `m${i}`)
for (const [i, name] of names.entries()) {
  write(`src/${name}.js`, moduleText(i))
  write(`common/${name}.js`, moduleText(i).replaceAll('export class', 'exports.shape = class'))
}
write('src/main.js', names.map(name => `export * as ${name} from './${name}.js'`).join('\n'))
write('src/main.test.js', `${names.map(name => `import './${name}.js'`).join('\n')}\ntest('loads', () => {})`)
write('common/main.js', names.map(name => `require('./${name}.js')`).join('\n'))
for (const [i, { text }] of Object.values(HOSTS).entries()) write(`host${i}.cjs`, text)

function seconds(i, mode) {
  rmSync(join(project, 'map'), { recursive: true, force: true })
  mkdirSync(join(project, 'map'))
  const cpuFile = join(project, 'cpu')
  const own = { WICKED_CACHE_DIR: cacheDir, CPU_FILE: cpuFile, NODE_OPTIONS: `--require ${join(project, 'cpu.cjs')}` }
  const options = {
    cwd: project,
    env: { ...process.env, ...own },
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  }
  execFileSync(process.execPath, [`host${i}.cjs`, mode], options)
  return Number(readFileSync(cpuFile, 'utf8')) / 1e6
}
const median = list => list.toSorted((one, other) => one - other)[Math.floor(list.length / 2)]

const { openCacheSync } = await import(pathToFileURL(require.resolve('wicked-cache')).href)
try {
  console.log('| host | without | first | second | second to without | hits |')
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |')
  const only = process.argv.slice(2)
  for (const [i, [name, { packages }]] of Object.entries(HOSTS).entries()) {
    if (only.length > 0 && !only.some(each => name.includes(each))) continue
    const [without, first, second] = [[], [], []]
    for (let run = 0; run < RUNS; run++) {
      rmSync(cacheDir, { recursive: true, force: true })
      without.push(seconds(i, 'plain'))
      first.push(seconds(i, 'cache'))
      second.push(seconds(i, 'cache'))
    }
    const cache = openCacheSync({ dir: cacheDir, mode: 'readonly' })
    const { hitCount, missCount } = cache.stats()
    cache.close()
    const cells = [without, first, second].map(list => `${median(list).toFixed(2)} s`)
    const ratio = (median(second) / median(without)).toFixed(2)
    const versions = packages.map(versionOf).join(', ')
    console.log(`| ${name} ${versions} | ${cells.join(' | ')} | ${ratio} | ${hitCount} of ${missCount} |`)
  }
} finally {
  rmSync(project, { recursive: true, force: true })
}
