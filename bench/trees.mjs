// Does caching syntax trees pay? `node bench/trees.mjs [name]`, once the library is built and bench/ is installed.
//
// Trees of real parsers of real packages' files: set and get beside parsing anew, JSON and node:v8. Times are CPU times of
// the process. Warm: one kind of operation after the other, in turns, and the lower quartile of each. First: one operation
// of a fresh process, without loading the parser or the library, the median of several processes.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import v8 from 'node:v8'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const require = createRequire(import.meta.url)
const fileOf = name => readFileSync(join(HERE, 'node_modules', name), 'utf8')
const WARM_MS = 1500
const PROCESSES = 5

const SMALL_JS = 'acorn-walk/dist/walk.js'
const LARGE_JS = 'acorn/dist/acorn.js'
const JS = { ecmaVersion: 'latest', sourceType: 'script' }

/** Gives each node its parent, as linters do. */
function withParents(root) {
  const visit = (node, parent) => {
    node.parent = parent
    for (const [key, value] of Object.entries(node)) {
      if (key === 'parent') continue
      for (const child of Array.isArray(value) ? value : [value])
        if (typeof child?.type === 'string') visit(child, node)
    }
  }
  visit(root, null)
  return root
}

/** Each loads its parser and gives the function that parses a source. */
const acorn = () => source => require('acorn').parse(source, JS)
const acornLocations = () => source => require('acorn').parse(source, { ...JS, locations: true, ranges: true })
const meriyah = () => source => require('meriyah').parseScript(source, { next: true, ranges: true })
const espree = () => source =>
  withParents(
    require('espree').parse(source, { ecmaVersion: 'latest', range: true, loc: true, comment: true, tokens: true }),
  )
const estree = () => source => require('@typescript-eslint/typescript-estree').parse(source, { range: true, loc: true })
const oxc = () => source => require('oxc-parser').parseSync('a.js', source).program
const babel = () => source => require('@babel/parser').parse(source, { sourceType: 'unambiguous' })
const postcss = () => source => require('postcss').parse(source).toJSON()
const cssTree = () => source => {
  const { parse, toPlainObject } = require('css-tree')
  return toPlainObject(parse(source, { positions: true }))
}
const graphql = () => source => require('graphql').parse(source, { noLocation: true })
const mdast = async () => (await import('mdast-util-from-markdown')).fromMarkdown

const CASES = [
  ['acorn', acorn, SMALL_JS],
  ['acorn', acorn, LARGE_JS],
  ['acorn, locations and ranges', acornLocations, LARGE_JS],
  ['meriyah, ranges', meriyah, SMALL_JS],
  ['meriyah, ranges', meriyah, LARGE_JS],
  ['espree, parents and tokens', espree, SMALL_JS, { cyclic: true }],
  ['espree, parents and tokens', espree, LARGE_JS, { cyclic: true }],
  ['typescript-estree', estree, 'graphql/language/visitor.d.ts'],
  ['typescript-estree', estree, 'typescript/lib/lib.es5.d.ts'],
  ['oxc-parser', oxc, SMALL_JS],
  ['oxc-parser', oxc, LARGE_JS],
  ['@babel/parser', babel, SMALL_JS],
  ['@babel/parser', babel, '@babel/parser/lib/index.js'],
  ['postcss, toJSON', postcss, 'bootstrap/dist/css/bootstrap.css'],
  ['css-tree, plain', cssTree, 'bootstrap/dist/css/bootstrap.css'],
  ['graphql, noLocation', graphql, '@octokit/graphql-schema/schema.graphql'],
  ['mdast-util-from-markdown', mdast, 'css-tree/README.md'],
]

function cpuOf(operation) {
  const before = process.cpuUsage()
  operation()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const quantile = (times, share) => times.sort((a, b) => a - b)[Math.floor(times.length * share)]

async function open(dir, options) {
  const { openCacheSync } = await import('../dist/index.js')
  return openCacheSync({ dir }).namespace('trees', { classInstances: 'plain', ...options })
}

/** One operation of a fresh process. */
async function first(index, operation, dir) {
  const [, load, file, options] = CASES[index]
  const parse = await load()
  const source = fileOf(file)
  const namespace = await open(dir, options)
  let tree
  const parsing = operation === 'get' ? 0 : cpuOf(() => (tree = parse(source)))
  if (operation === 'parse') return parsing
  return cpuOf(() => {
    if (operation === 'set') namespace.set('first', tree)
    else if (namespace.get('first') === undefined) throw new Error('there is no tree')
  })
}

async function warm([, load, file, options], dir) {
  const parse = await load()
  const source = fileOf(file)
  const namespace = await open(dir, options)
  const tree = parse(source)
  namespace.set('tree', tree)
  const back = namespace.get('tree')
  const isSame = isDeepStrictEqual(back, structuredClone(tree))
  // JSON cannot say cycles and BigInts.
  const attempt = make => {
    try {
      return make()
    } catch {
      return undefined
    }
  }
  const json = attempt(() => JSON.stringify(tree))
  const serialized = attempt(() => v8.serialize(tree))
  let count = 0
  const operations = {
    parse: () => parse(source),
    set: () => namespace.set(`tree ${count++}`, tree),
    get: () => namespace.get('tree'),
    ...(json && { stringify: () => JSON.stringify(tree), jsonParse: () => JSON.parse(json) }),
    ...(serialized && { serialize: () => v8.serialize(tree), deserialize: () => v8.deserialize(serialized) }),
  }
  const times = Object.fromEntries(Object.keys(operations).map(name => [name, []]))
  const end = performance.now() + WARM_MS
  for (let round = 0; round < 10 || performance.now() < end; round++) {
    for (const [name, operation] of Object.entries(operations)) times[name].push(cpuOf(operation))
  }
  const sizeBytes = namespace.find('tree')[0].sizeBytes
  const ofParse = name => times[name] && quantile(times[name], 0.25) / quantile(times.parse, 0.25)
  return {
    sourceBytes: source.length,
    parseMs: quantile(times.parse, 0.25),
    isSame,
    size: sizeBytes / source.length,
    jsonSize: json && json.length / source.length,
    ...Object.fromEntries(Object.keys(operations).map(name => [name, ofParse(name)])),
  }
}

const [mode, argument, operation, dir] = process.argv.slice(2)
if (mode === '--first') console.log(await first(Number(argument), operation, dir))
else if (mode === '--warm') console.log(JSON.stringify(await warm(CASES[Number(argument)], operation)))
else {
  const run = (...args) =>
    JSON.parse(execFileSync(process.execPath, [fileURLToPath(import.meta.url), ...args], { encoding: 'utf8' }))
  const shown = number => (number === undefined ? '–' : number.toFixed(2))
  console.log(
    '| tree | source KB | parse ms | size | set | get | first set | first get | JSON: size, write, read | node:v8: write, read |',
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |')
  for (const [index, [name]] of CASES.entries()) {
    if (mode && !name.startsWith(mode)) continue
    const work = mkdtempSync(join(tmpdir(), 'wicked-cache-trees-'))
    const result = run('--warm', String(index), join(work, 'warm'))
    if (!result.isSame) throw new Error(`${name} comes back as another tree`)
    const firsts = { parse: [], set: [], get: [] }
    for (let i = 0; i < PROCESSES; i++) {
      for (const each of Object.keys(firsts))
        firsts[each].push(run('--first', String(index), each, join(work, 'first')))
    }
    rmSync(work, { recursive: true, force: true })
    const firstOf = each => quantile(firsts[each], 0.5) / quantile(firsts.parse, 0.5)
    const { sourceBytes, parseMs, size, jsonSize, set, get, stringify, jsonParse, serialize, deserialize } = result
    const columns = [
      name,
      (sourceBytes / 1024).toFixed(0),
      parseMs.toFixed(1),
      shown(size),
      shown(set),
      shown(get),
      shown(firstOf('set')),
      shown(firstOf('get')),
      `${shown(jsonSize)}, ${shown(stringify)}, ${shown(jsonParse)}`,
      `${shown(serialize)}, ${shown(deserialize)}`,
    ]
    console.log(`| ${columns.join(' | ')} |`)
  }
}
