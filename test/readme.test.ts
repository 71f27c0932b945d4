// The js and ts examples of the documentation are run as they are written, each fenced block of README.md and of the pages below
// docs/. A block is a program of its own, run in a process of its own, with the built library as `wicked-cache`, in a project
// made of the files of fixtures/readme/:
//
//   <name>/tree/         the project's files
//   <name>/other/        files that are different in a second project
//   <name>/edit/         files that are edited, or added, one after the other once it has run twice
//   <name>/preamble.js   optional: put before the block, for names that it uses and doesn't define
//
// The name is `default`, unless the line before the block is the comment `<!-- example: NAME -->`. After `<!-- host: FILE -->`, a block
// is run by test/hosts/documents.test.ts, after `before:` and `after:` by test/hosts/migrating.test.ts. After `<!-- from: FILE -->` it is a part of an
// example, which `npm run examples` runs; documents.test.ts compares them. Blocks of other languages are run by
// documents.test.ts.
//
// Where a block computes, it must give the values that it gives without a cache, before and after each edit, and compute
// nothing when it is run again. Its values are what it assigns to names at its top level and is plain data. What it prints
// must be the same when it is run again.

import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { transformSync } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { openCacheSync } from '../src/index.js'
import { temporaryDirectory } from './support/caches.js'
import { projectRoot } from './support/children.js'
import { blocksOf, documents, read } from './support/documents.js'

const root = projectRoot
const fixtures = join(root, 'fixtures', 'readme')
const TIMEOUT_MS = 120_000

interface Example {
  /** The file, and the line where the block begins. */
  place: string
  language: string
  text: string
  fixture: string
}

function examplesOf(file: string, markdown: string): Example[] {
  return blocksOf(file, markdown)
    .filter(
      ({ language, comment }) =>
        (language === 'js' || language === 'ts') && !/^(host|before|after|from): /.test(comment),
    )
    .map(({ comment, ...block }) => ({ ...block, fixture: /^example: ([\w-]+)$/.exec(comment)?.[1] ?? 'default' }))
}

const allExamples = () => documents.flatMap(file => examplesOf(file, read(file)))

/** The names that a program assigns to at its top level. */
function namesAssigned(program: string): string[] {
  return [...program.matchAll(/^(?:const|let|var) (\w+|\{[^}]*\}|\[[^\]]*\]) *=/gm)].flatMap(([, target = '']) =>
    /^\w/.test(target)
      ? target
      : [...target.matchAll(/(?:\w+: *)?(\w+)(?: *= *[^,}\]]*)?/g)].map(([, name = '']) => name),
  )
}

/** Put after a program: says which of its values are plain data. */
function reportOf(names: readonly string[]): string {
  return `
;{
  const isData = value => value === undefined || (typeof value !== 'function' && (Object(value) !== value || Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype))
  const values = Object.entries({ ${names.join(', ')} }).filter(([, value]) => isData(value))
  process.getBuiltinModule('node:fs').writeFileSync(process.env.EXAMPLE_REPORT, JSON.stringify(values, (_, value) => value === undefined ? 'undefined' : value))
}
`
}

interface Run {
  values: [name: string, value: unknown][]
  output: string
}

/** One example with two projects and a cache. */
class Stage {
  readonly #dir = temporaryDirectory()
  readonly #program: string
  readonly #fixture: string

  constructor({ text, language, fixture }: Example) {
    this.#fixture = join(fixtures, fixture)
    if (!existsSync(this.#fixture)) throw new Error(`There is no fixtures/readme/${fixture}.`)
    const preamble = join(this.#fixture, 'preamble.js')
    const written = (existsSync(preamble) ? readFileSync(preamble, 'utf8') : '') + text
    const code = language === 'ts' ? transformSync(written, { loader: 'ts', format: 'esm' }).code : written
    const isCommonJs = /\brequire\(/.test(code) && !/^import /m.test(code)
    this.#program = this.at(isCommonJs ? 'example.cjs' : 'example.mjs')
    writeFileSync(this.#program, code + reportOf(namesAssigned(code)))
    mkdirSync(this.at('node_modules'))
    symlinkSync(root, this.at('node_modules/wicked-cache'), 'junction')
    for (const project of ['first', 'second'])
      cpSync(join(this.#fixture, 'tree'), this.at(project), { recursive: true })
    this.#lay('other', 'second')
  }

  at(path: string): string {
    return join(this.#dir, path)
  }

  /** Each call of what it gives edits one more file. */
  edits(): (() => void)[] {
    const edit = join(this.#fixture, 'edit')
    const paths = existsSync(edit) ? readdirSync(edit, { recursive: true, encoding: 'utf8' }).sort() : []
    return paths
      .filter(path => statSync(join(edit, path)).isFile())
      .map(path => () => cpSync(join(edit, path), this.at(join('first', path))))
  }

  #lay(files: string, project: string): void {
    const from = join(this.#fixture, files)
    if (existsSync(from)) cpSync(from, this.at(project), { recursive: true })
  }

  run(project: string, mode = 'readwrite'): Run {
    const report = this.at('report.json')
    rmSync(report, { force: true })
    const { NODE_OPTIONS, NODE_V8_COVERAGE, ...inherited } = process.env
    const env = { ...inherited, WICKED_CACHE_DIR: this.at('cache'), WICKED_CACHE: mode, EXAMPLE_REPORT: report }
    const options = { cwd: this.at(project), env, encoding: 'utf8' as const, timeout: TIMEOUT_MS / 2 }
    const { stdout, stderr, status, signal } = spawnSync(process.execPath, [this.#program], options)
    expect({ stderr, ended: signal ?? status }).toEqual({ stderr: '', ended: 0 })
    return { values: JSON.parse(readFileSync(report, 'utf8')), output: stdout }
  }

  /** How often something was looked for in vain until now. */
  missCount(): number {
    const cache = openCacheSync({ dir: this.at('cache'), mode: 'readonly' })
    const { missCount } = cache.stats()
    cache.close()
    return missCount
  }
}

const COMPUTES = /\.(?:getOrSet|analyze|wrap)(?:Sync)?\(/

describe.each(allExamples())('the example at $place', example => {
  const computes = COMPUTES.test(example.text)

  test('gives the same in two projects as without a cache', { timeout: TIMEOUT_MS }, () => {
    const stage = new Stage(example)
    const [first, second] = ['first', 'second'].map(project => ({
      expected: stage.run(project, 'off'),
      found: stage.run(project),
    }))
    if (!computes) return
    expect(first?.found.values).toEqual(first?.expected.values)
    expect(second?.found.values).toEqual(second?.expected.values)
    expect(second?.found.values, 'the projects differ in what it looks at').not.toEqual(first?.found.values)
  })

  test('computes nothing when it is run again, and only stale results after each edit', { timeout: TIMEOUT_MS }, () => {
    const stage = new Stage(example)
    const before = stage.run('first')
    const missesAtFirst = stage.missCount()
    expect(stage.run('first')).toEqual(before)
    expect(stage.missCount(), 'misses of the second run').toBe(missesAtFirst)
    if (!computes) return
    expect(missesAtFirst, 'misses of the first run').toBeGreaterThan(0)
    let edited = before
    for (const edit of stage.edits()) {
      edit()
      edited = stage.run('first')
      expect(edited.values).toEqual(stage.run('first', 'off').values)
    }
    expect(edited.values, 'the edits change what it looks at').not.toEqual(before.values)
  })
})

test('the README and the pages below docs have examples', () => {
  const files = allExamples().map(({ place }) => place.split(':')[0])
  expect(files).toContain('README.md')
  expect(files).toContain('docs/inputs.md')
})

test('a comment before a block selects its fixture', () => {
  const block = (text: string) => `\`\`\`js\n${text}\n\`\`\`\n`
  const markdown = `# Title\n\n${block('first()')}\n<!-- example: other -->\n${block('second()')}`
  expect(examplesOf('A.md', markdown)).toEqual([
    { place: 'A.md:3', language: 'js', text: 'first()\n', fixture: 'default' },
    { place: 'A.md:8', language: 'js', text: 'second()\n', fixture: 'other' },
  ])
})

test('the values of a program are those of the names it assigns', () => {
  expect(namesAssigned('const a = 1\n  const inner = 2\nlet { b, c: d } = x\nconst [e, f] = y\nfoo()')).toEqual([
    'a',
    'b',
    'd',
    'e',
    'f',
  ])
})
