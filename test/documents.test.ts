// The pages of the documentation: their links lead somewhere, and their examples that are not js or ts (those are in
// readme.test.ts) are run. All shell and Python blocks of a page are run one after the other, on one machine with one cache, in the
// project of fixtures/readme/default/tree. A block of JSON lines is a dialogue with `wicked-cache serve`.
//
// A block that can't be run says why in a comment before it: `<!-- not run: REASON -->`. After `<!-- from: FILE -->`, it is a part of an
// example, which `npm run examples` runs.

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { answersTo, builtCli } from './serve/client.js'
import { temporaryDirectory } from './support/caches.js'
import { projectRoot } from './support/children.js'
import { type Block, blocksOf, brokenLinks, documents, read } from './support/documents.js'
import { python, scripts } from './support/python.js'

const LANGUAGES = ['js', 'ts', 'sh', 'python', 'json', 'jsonl', 'yaml', 'dockerfile']
/** What is not in a language: drawings, the layout of bytes, what is typed elsewhere. */
const PLAIN = ['', 'text']

const allBlocks = documents.flatMap(file => blocksOf(file, read(file)))
const blocksIn = (language: string) =>
  allBlocks.filter(block => block.language === language && !/^(not run|from): /.test(block.comment))
const fileOf = ({ place }: Block) => place.replace(/:\d+$/, '')

test('every link of a page leads to a file and a heading that exist', () => {
  expect(documents).toContain('README.md')
  expect(documents).toContain('docs/adr/README.md')
  expect(documents.flatMap(page => brokenLinks(projectRoot, page))).toEqual([])
})

test('every page below docs is linked from another page', () => {
  const isLinked = (page: string) => documents.some(other => other !== page && linksOf(other).includes(page))
  expect(documents.filter(page => page.startsWith('docs/') && !isLinked(page))).toEqual([])
})

function linksOf(page: string): string[] {
  const links = read(page).matchAll(/\]\(([^()\s#]+)/g)
  return Array.from(links, ([, link = '']) => join(dirname(page), link).split('\\').join('/'))
}

test('every page in docs/adr has a unique number, a title and a date, and is in the index', () => {
  const pages = documents.filter(page => /^docs\/adr\/\d/.test(page))
  expect(pages.length).toBeGreaterThan(0)
  const numbers = pages.map(page => Number(/\/(\d{4})-/.exec(page)?.[1]))
  expect(numbers).toEqual([...new Set(numbers)])
  for (const page of pages) {
    const [title = '', , date = '', , section = ''] = read(page).split('\n')
    const [, number, name = ''] = /^# (\d+)\. (.+)$/.exec(title) ?? []
    expect({ page, number: Number(number) }).toEqual({ page, number: numbers[pages.indexOf(page)] })
    expect(date).toMatch(/^\d{4}-\d\d-\d\d(, revised \d{4}-\d\d-\d\d)?$/)
    expect(section).toBe('## Context')
    expect(read('docs/adr/README.md')).toContain(`| ${number} | [${name}](${page.slice('docs/adr/'.length)}) |`)
  }
})

test('every fenced block has a known language, and commands are in blocks that are run', () => {
  const unknown = allBlocks.filter(({ language }) => ![...LANGUAGES, ...PLAIN].includes(language))
  expect(unknown).toEqual([])
  const plain = allBlocks.filter(({ language, text }) => PLAIN.includes(language) && /^(\$ |wicked-cache )/m.test(text))
  expect(plain, 'commands in a block of no language').toEqual([])
})

test('commands in a CI configuration are also shown and run on the same page', () => {
  const called = allBlocks
    .filter(({ language }) => language === 'yaml')
    .flatMap(block =>
      Array.from(block.text.matchAll(/npx (wicked-cache .+)$/gm), ([, command = '']) => ({
        page: fileOf(block),
        command,
      })),
    )
  expect(called.length).toBeGreaterThan(0)
  const isRun = ({ page, command }: { page: string; command: string }) =>
    blocksIn('sh').some(block => fileOf(block) === page && block.text.split('\n').includes(command))
  expect(called.filter(each => !isRun(each))).toEqual([])
})

test('every miss reason has a section in docs/troubleshooting.md, in the order of declaration', () => {
  const [, union = ''] = /export type MissReason =\n((?: {2}.*\n)+)/.exec(read('src/api/reasons.ts')) ?? []
  const reasons = Array.from(union.matchAll(/^ {2}\| '([a-z-]+)'$/gm), ([, reason]) => reason)
  expect(reasons.length).toBeGreaterThan(15)
  const [, page = ''] = read('docs/troubleshooting.md').split('\n## The reasons\n')
  const sections = page.split(/^### /m).slice(1)
  expect(sections.map(section => section.split('\n')[0])).toEqual(reasons)
  expect(sections.filter(section => section.length < 100)).toEqual([])
})

test('excerpts from examples equal the files', () => {
  const shown = allBlocks.filter(({ comment }) => comment.startsWith('from: '))
  expect(shown.length).toBeGreaterThan(0)
  const { workspaces } = JSON.parse(read('examples/package.json')) as { workspaces: string[] }
  for (const { place, comment, text } of shown) {
    const [, file = '', name = ''] = /^from: (examples\/([\w-]+)\/.+)$/.exec(comment) ?? []
    expect({ place, workspaces }).toMatchObject({ workspaces: expect.arrayContaining([name]) })
    expect(text.split('\n').length, place).toBeGreaterThan(5)
    expect({ place, isThere: `\n${read(file)}\n`.includes(`\n${text}`) }).toEqual({ place, isThere: true })
  }
})

test('every JSON block parses', () => {
  expect(blocksIn('json').length).toBeGreaterThan(0)
  for (const { text } of blocksIn('json')) JSON.parse(text)
})

/** A user's machine with the package in a project. */
class Machine {
  readonly #env: NodeJS.ProcessEnv
  readonly #project: string

  constructor() {
    const home = temporaryDirectory()
    this.#project = join(home, 'project')
    cpSync(join(projectRoot, 'fixtures', 'readme', 'default', 'tree'), this.#project, { recursive: true })
    const bin = join(this.#project, 'node_modules', '.bin')
    mkdirSync(bin, { recursive: true })
    symlinkSync(projectRoot, join(this.#project, 'node_modules', 'wicked-cache'))
    symlinkSync(builtCli, join(bin, 'wicked-cache'))
    const { WICKED_CACHE: _, WICKED_CACHE_DIR: __, XDG_CACHE_HOME: ___, ...inherited } = process.env
    const tools = join(projectRoot, 'node_modules', '.bin')
    const path = [bin, tools, dirname(process.execPath), dirname(python ?? ''), inherited.PATH].join(delimiter)
    this.#env = { ...inherited, HOME: home, PATH: path, NODE_OPTIONS: '', PYTHONDONTWRITEBYTECODE: '1' }
  }

  /** The exit code and what is written to standard error. */
  run(command: string, args: readonly string[], env: Record<string, string> = {}) {
    const options = { cwd: this.#project, env: { ...this.#env, ...env }, encoding: 'utf8' as const }
    const { status, stderr } = spawnSync(command, args, options)
    return { code: status, stderr }
  }
}

const pagesWith = (language: string) => [...new Set(blocksIn(language).map(fileOf))]

describe.each(pagesWith('sh'))('the commands of %s', page => {
  test('succeed or end with a miss', () => {
    const machine = new Machine()
    const lines = blocksIn('sh')
      .filter(block => fileOf(block) === page)
      .flatMap(({ text }) => text.split('\n').filter(line => line !== ''))
    for (const line of lines) {
      const { code, stderr } = machine.run('bash', ['-o', 'pipefail', '-c', line])
      // 1: a miss, or a command of which the example says that it fails.
      expect({ line, stderr, isUnderstood: code === 0 || code === 1 }).toMatchObject({ isUnderstood: true })
    }
  })
})

describe.skipIf(python === undefined).each(pagesWith('python'))('the Python of %s', page => {
  test('runs as written, twice', () => {
    const machine = new Machine()
    expect(machine.run('wicked-cache', ['setup']).code).toBe(0)
    for (const { place, text } of blocksIn('python').filter(block => fileOf(block) === page)) {
      const env: Record<string, string> = text.includes('sys.path') ? {} : { PYTHONPATH: scripts }
      for (const time of ['first', 'again']) {
        expect({ place, time, ...machine.run(python as string, ['-c', text], env) }).toEqual({
          place,
          time,
          code: 0,
          stderr: '',
        })
      }
    }
    expect(machine.run('wicked-cache', ['has', 'my-plugin', 'schema:data.csv', '--user-wide']).code).toBe(0)
  })
})

test('dialogues with serve run as written', async () => {
  const dialogues = blocksIn('jsonl')
  expect(dialogues.length).toBeGreaterThan(1)
  for (const { text } of dialogues) {
    const lines = text.trim().split('\n')
    const requests = lines.filter(line => 'op' in JSON.parse(line))
    const expected = lines.filter(line => !('op' in JSON.parse(line)) && !('serve' in JSON.parse(line)))
    const answers = await answersTo(temporaryDirectory(), requests)
    expect(answers).toHaveLength(requests.length)
    expect(answers.filter(answer => 'error' in answer)).toEqual([])
    if (expected.length > 0) expect(answers).toEqual(expected.map(line => JSON.parse(line)))
  }
})

/** Rows of the README's table, and where their figures are: the section of the results, and the column in it. */
const FIGURES: Record<string, [section: string, column: number]> = {
  'what one get adds to the start of a process': ['What one get adds to bare node, by the number of entries', 1],
  'get, warm': ['Warm get of a small summary', 1],
  'set of a new value': ['Set of a small summary, per entry', 1],
  'disk for each entry of five plugins with equal values': ['Disk, per analysis', 2],
}

test('the figures in the README equal those in bench/RESULTS.md', () => {
  const results = read('bench/RESULTS.md')
  const [header = [], , ...rows] = tableFrom(read('README.md'), '| 1,000 entries |')
  expect(rows.map(([name]) => name)).toEqual(Object.keys(FIGURES))
  const found = rows.map(([name = '']) => {
    const [section, column] = FIGURES[name] as [string, number]
    const table = tableFrom(results, `## ${section}\n\n`)
    const figureOf = (contender: string) => table.find(([first]) => first === contender)?.[column]?.replace(/ ±.*/, '')
    return [name, ...header.slice(1).map(contender => figureOf(CONTENDERS[contender] ?? contender))]
  })
  expect(rows).toEqual(found)
  expect(read('README.md')).toContain(`(${/^\| date \| (\S+) \|$/m.exec(results)?.[1]}, Node`)
})

const CONTENDERS: Record<string, string> = { 'wicked-cache': '**wicked-cache**', 'keyv with SQLite': 'keyv-sqlite' }

/** The cells of the table that begins with, or right after, a text. */
function tableFrom(markdown: string, text: string): string[][] {
  const start = markdown.indexOf(text)
  const [table = ''] = /(?:^\|.*\|$\n?)+/m.exec(start < 0 ? '' : markdown.slice(start)) ?? []
  const lines = table.split('\n').filter(line => line !== '')
  return lines.map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
}

test('every command is shown in docs/command-line.md', () => {
  const help = execFileSync(process.execPath, [builtCli, '--help'], { encoding: 'utf8' })
  const names = [...help.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThan(10)
  const shown = read('docs/command-line.md')
  expect(names.filter(name => !new RegExp(`wicked-cache ${name}\\b|^\\|.*\`${name}\`.*\\|`, 'm').test(shown))).toEqual(
    [],
  )
})
