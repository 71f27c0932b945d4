// The command line in real terminals: width, colours, and restoring the terminal.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCacheSync } from '../../src/index.js'
import { projectRoot } from '../support/children.js'
import { python } from '../support/python.js'

const built = join(projectRoot, 'dist', 'cli.cjs')
const WIDTHS = [20, 60, 80, 120, 200]
const ESCAPE = '\u001b'

interface Asked {
  args: readonly string[]
  columns?: number
  env?: Record<string, string>
  after?: string
  keys?: string
  signal?: string
}

interface Seen {
  text: string
  /** Without escape sequences. */
  plain: string
  code: number
  widest: number
  isRestored: boolean
}

let dir: string
let project: string

function inTerminals(all: readonly Asked[]): Seen[] {
  const { NO_COLOR: _, FORCE_COLOR: __, LANG: ___, LC_ALL: ____, ...inherited } = process.env
  const input = all.map(({ args, columns = 80, ...rest }) => ({
    args: [process.execPath, built, ...args, '--dir', join(dir, 'cache')],
    columns,
    ...rest,
  }))
  const { stdout, stderr } = spawnSync(python as string, [join(import.meta.dirname, 'in-terminal.py')], {
    input: JSON.stringify(input),
    cwd: project,
    env: { ...inherited, TERM: 'xterm-256color', NODE_OPTIONS: '' },
    encoding: 'utf8',
    maxBuffer: 1e8,
  })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

describe.skipIf(python === undefined || process.platform === 'win32')('in a terminal', () => {
  beforeAll(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'wicked-cache-cli-')))
    project = join(dir, 'a project with a long name', 'プロジェクト')
    mkdirSync(join(project, 'src'), { recursive: true })
    writeFileSync(join(project, 'package.json'), '{}')
    const file = join(project, 'src', 'ソースコード.js')
    writeFileSync(file, 'before')
    const cache = openCacheSync({ dir: join(dir, 'cache') })
    const own = cache.namespace('outline', { project, version: '1.2.0' })
    for (const key of ['日本語の長いキー'.repeat(6), 'e\u0301'.repeat(50), 'a\u202eb\nc\u001b[31m', 'src/'.repeat(30)])
      own.set(key, key)
    own.set('stale', 1, { files: [file] })
    own.analyzeSync('imports', file, ctx => ctx.source.length)
    cache.namespace('@scope/a-namespace-with-a-long-name', { project: false }).set('key', 1)
    own.get('nope')
    cache.close()
    writeFileSync(file, 'after!!')
  })

  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  test.each(WIDTHS)('of %i columns, no line is wider', columns => {
    const commands = [
      ['list', '--all-projects'],
      ['list', 'outline', '--sort', 'saved'],
      ['stats'],
      ['stats', 'outline'],
      ['top', '--count', '1'],
      ['gc', '--dry-run'],
      ['verify'],
      ['explain', 'outline', 'stale'],
      ['explain', 'outline', 'src/ソースコード.js'],
    ]
    const seen = inTerminals(commands.map(args => ({ args, columns })))
    for (const [index, { plain, code, widest }] of seen.entries()) {
      const args = commands[index]
      expect({ args, code }).toEqual({ args, code: args?.[0] === 'explain' ? 1 : 0 })
      // What has no space in it, such as a path, is not broken: it could not be copied.
      const words = plain.split(/\s+/).map(word => word.length)
      const isBroken = ['explain', 'verify'].includes(args?.[0] ?? '') ? Math.max(...words) * 2 : 0
      expect({ args, columns, widest }).toEqual({
        args,
        columns,
        widest: expect.toSatisfy((cells: number) => cells <= Math.max(columns, isBroken)),
      })
      // Keys bring no control characters, and change no direction.
      expect(plain).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u)
    }
  })

  test('output has colours, unless NO_COLOR or a dumb terminal forbids them', () => {
    const environments: [Record<string, string>, boolean][] = [
      [{}, true],
      [{ NO_COLOR: '1' }, false],
      [{ TERM: 'dumb' }, false],
      [{ TERM: 'dumb', FORCE_COLOR: '1' }, true],
      [{ FORCE_COLOR: '0' }, false],
    ]
    const seen = inTerminals(environments.map(([env]) => ({ args: ['list'], env })))
    expect(seen.map(({ text }) => text.includes(`${ESCAPE}[1m`))).toEqual(
      environments.map(([, isColoured]) => isColoured),
    )
  })

  test('a locale without Unicode gets an ASCII ellipsis', () => {
    const [c, utf8] = inTerminals(['C', 'C.UTF-8'].map(LC_ALL => ({ args: ['list'], columns: 40, env: { LC_ALL } })))
    expect(c?.text).toContain('...')
    expect(c?.text).not.toContain('…')
    expect(utf8?.text).toContain('…')
  })

  test.each([
    ['q', { keys: 'q' }],
    ['Ctrl-C', { keys: '\u0003' }],
    ['SIGINT', { signal: 'SIGINT' }],
    ['SIGTERM', { signal: 'SIGTERM' }],
    ['SIGHUP', { signal: 'SIGHUP' }],
    ['SIGQUIT', { signal: 'SIGQUIT' }],
  ])('top ends with %s and restores the terminal', (_, end) => {
    const [seen] = inTerminals([{ args: ['top', '--interval', '100ms'], after: 'outline', ...end }])
    expect(seen).toMatchObject({ code: 0, isRestored: true })
    // The screen of its own, and the cursor.
    expect(seen?.text.startsWith(`${ESCAPE}[?1049h${ESCAPE}[?25l`)).toBe(true)
    expect(seen?.text.endsWith(`${ESCAPE}[?25h${ESCAPE}[?1049l`)).toBe(true)
  })

  test('a dumb terminal gets snapshots from top', () => {
    const [seen] = inTerminals([{ args: ['top', '--count', '2', '--interval', '100ms'], env: { TERM: 'dumb' } }])
    expect(seen?.code).toBe(0)
    expect(seen?.text).not.toContain(ESCAPE)
    expect(seen?.text.split('namespace ').length).toBe(3)
  })
})
