// Records the traces that bench/eviction.mjs compares: what three kinds of programs ask a cache over some weeks, with real
// sources, computations and results. Edits, branch switches and the times of day are made up.
//
//   npm run build && node bench/record-traces.mjs
//
// A trace is a gzipped JSON array of [question, bytes, ms, at]: a number for what is asked, the length of the answer, how long
// computing it took, and when it was asked, in s. Answers for other contents of a file are other questions.

import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const require = createRequire(import.meta.url)
const babel = require('@babel/parser')
const esbuild = require('esbuild')
const { openCacheSync } = require('../dist/index.cjs')

const ROOT = join(import.meta.dirname, '..')
const TRACES = join(import.meta.dirname, 'traces')
const PACKAGES = [
  'yargs',
  'postcss',
  'semver',
  'resolve',
  'ajv/lib',
  'diff/lib',
  'minimatch',
  'chai',
  'rxjs/src/internal/operators',
]
const MAX_FILES = 40
const MAX_BYTES = 60_000
const HOUR = 3600

let seed = 7
/** Evenly from 0 to 1, the same in each run (https://en.wikipedia.org/wiki/Xorshift). */
function random() {
  seed ^= seed << 13
  seed ^= seed >>> 17
  seed ^= seed << 5
  return (seed >>> 0) / 2 ** 32
}

/** Some are worked on often, others rarely. */
const pickSkewed = list => list[Math.floor(list.length * random() ** 2)]

function sourcesIn(directory) {
  const names = readdirSync(directory, { recursive: true }).filter(name => /(?<!\.d)\.[cm]?[jt]s$/.test(name))
  const files = names.map(name => join(directory, name)).filter(file => !/node_modules.*node_modules/.test(file))
  return files
    .filter(file => readFileSync(file).length <= MAX_BYTES)
    .sort()
    .slice(0, MAX_FILES)
}

function projectsIn(work) {
  return PACKAGES.filter(name => existsSync(join(ROOT, 'node_modules', name))).map(name => {
    const dir = join(work, name.replaceAll('/', '-'))
    mkdirSync(dir)
    writeFileSync(join(dir, 'package.json'), '{}')
    const files = sourcesIn(join(ROOT, 'node_modules', name)).map((file, index) => {
      const copy = join(dir, `${index}-${file.split('/').at(-1)}`)
      cpSync(file, copy)
      return copy
    })
    return { dir, files, originals: files.map(file => readFileSync(file)) }
  })
}

/** A few files are edited; now and then a branch is left, and all are as they were. */
function edit({ files, originals }, count) {
  if (random() < 0.15) for (const [index, file] of files.entries()) writeFileSync(file, originals[index])
  for (let i = 0; i < count; i++) {
    const file = pickSkewed(files)
    writeFileSync(file, `${readFileSync(file)}\n// ${Math.floor(random() * 1e6)}\n`)
  }
}

const parse = source =>
  babel.parse(source, { sourceType: 'unambiguous', errorRecovery: true, plugins: ['typescript'] }).program

function walk(node, visit) {
  visit(node)
  for (const child of childrenOf(node)) walk(child, visit)
}

function childrenOf(node) {
  return Object.values(node)
    .flat()
    .filter(each => typeof each?.type === 'string')
}

function outlineOf(node) {
  const children = childrenOf(node).map(outlineOf)
  return { type: node.type, start: node.start, end: node.end, ...(children.length > 0 && { children }) }
}

const LINT = {
  // Quick, small; slower, small; slow, large.
  imports: ({ source }) => source.match(/\b(?:import|require)\b.*/g) ?? [],
  complexity({ source }) {
    let count = 0
    walk(parse(source), ({ type }) => {
      if (/^(If|For|While|Conditional|Switch)/.test(type)) count++
    })
    return { count }
  },
  outline: ({ source }) => outlineOf(parse(source)),
}

function lint(cache, project) {
  const rules = cache.namespace('lint', { version: '1', project: project.dir })
  for (const [name, rule] of Object.entries(LINT)) for (const file of project.files) rules.analyzeSync(name, file, rule)
}

function build(cache, project) {
  const transforms = cache.namespace('transform', { project: project.dir })
  const bundles = cache.namespace('bundle', { project: project.dir })
  const minify = random() < 0.3
  // Not nested: what an outer answer that was evicted would ask again is not in a trace.
  const name = minify ? 'minified' : 'plain'
  const parts = project.files.map(file =>
    transforms.analyzeSync(name, file, ({ source }) =>
      esbuild.transformSync(source, { loader: 'ts', sourcemap: true, minify, logLevel: 'silent' }),
    ),
  )
  const code = parts.map(part => part.code).join('\n')
  const digest = createHash('sha256').update(code).digest('hex')
  bundles.getOrSetSync(`bundle ${digest}`, () => gzipSync(code, { level: 9 }).toString('base64'))
}

/** What an assistant's hooks ask after each edit: a check of the project, of the file, and some small questions. */
function hooks(cache, project) {
  const checks = cache.namespace('hooks', { project: project.dir })
  checks.getOrSetSync('unused names', ctx => {
    const counts = new Map()
    for (const file of project.files) {
      walk(parse(ctx.readFile(file)), ({ type, name }) => {
        if (type === 'Identifier') counts.set(name, (counts.get(name) ?? 0) + 1)
      })
    }
    return [...counts].flatMap(([name, count]) => (count === 1 ? name : [])).slice(0, 50)
  })
  const file = pickSkewed(project.files)
  checks.analyzeSync(
    'format',
    file,
    ({ source }) => esbuild.transformSync(source, { loader: 'ts', logLevel: 'silent' }).code.length,
  )
  checks.analyzeSync('secrets', file, ({ source }) => /(secret|token)\s*[:=]\s*['"]\w{16}/.test(source))
  checks.analyzeSync('summary', file, ({ source }) => source.slice(0, 4000))
  checks.getOrSetSync('files', () => project.files.map(each => [each, each.length]))
}

const KINDS = {
  lint: { run: lint, runs: 60, edits: 2 },
  build: { run: build, runs: 80, edits: 1 },
  hooks: { run: hooks, runs: 240, edits: 1 },
}

function record(name, { run, runs, edits }, work) {
  seed = 7
  const root = join(work, name)
  mkdirSync(root)
  const projects = projectsIn(root)
  const ids = new Map()
  const questions = []
  let at = 0
  for (let index = 0; index < runs; index++) {
    // Most runs follow each other within minutes; then comes a pause of hours.
    at += random() < 0.7 ? 300 + 900 * random() : (4 + 20 * random()) * HOUR
    const project = pickSkewed(projects)
    edit(project, edits)
    const file = join(root, `${index}.jsonl`)
    process.env.WICKED_CACHE_TRACE = file
    const cache = openCacheSync({ dir: join(root, 'cache'), maxSize: Number.POSITIVE_INFINITY })
    run(cache, project)
    cache.close()
    for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
      const { namespace, key, project: dir, inputs, ms, computeMs, sizeBytes } = JSON.parse(line)
      const id = JSON.stringify([namespace, key, dir, inputs])
      const known = ids.get(id) ?? {
        id: ids.size,
        bytes: sizeBytes ?? 0,
        ms: Math.round((computeMs ?? 0) * 1000) / 1000,
      }
      ids.set(id, known)
      questions.push([known.id, known.bytes, known.ms, Math.round(at + ms / 1000)])
    }
  }
  const hitCount = questions.length - ids.size
  const bytes = gzipSync(JSON.stringify(questions), { level: 9 })
  writeFileSync(join(TRACES, `${name}.json.gz`), bytes)
  console.log(`${name}: ${questions.length} questions, ${ids.size} answers, ${hitCount} hits, ${bytes.length} bytes`)
}

mkdirSync(TRACES, { recursive: true })
const work = mkdtempSync(join(tmpdir(), 'wicked-cache-traces-'))
try {
  for (const [name, kind] of Object.entries(KINDS)) record(name, kind, work)
} finally {
  rmSync(work, { recursive: true, force: true })
}
