// Paths that are not regular files: reading them gives the same value or error with a cache as without one.

import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ComputeContext, Namespace } from '../../src/index.js'
import { projectRoot, runModule } from '../support/children.js'
import { answers, Tree } from '../support/projects.js'

/** What a call gave, or its error as a program sees it. */
function outcomeOf(call: () => unknown): unknown {
  try {
    return { value: call() }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { code, message }
  }
}

type Look = [string, (context: ComputeContext, path: string) => unknown, (path: string) => unknown]

/** Each look, with the cache and without it. */
const LOOKS: Look[] = [
  ['readFile', ({ readFile }, path) => readFile(path), path => readFileSync(path).toString()],
  ['readBytes', ({ readBytes }, path) => [...readBytes(path)], path => [...readFileSync(path)]],
  ['exists', ({ exists }, path) => exists(path), path => existsSync(path)],
  ['readDirectory', ({ readDirectory }, path) => readDirectory(path), path => readdirSync(path).sort()],
]

function asked(entries: Namespace, look: Look, path: string) {
  const { onResult, results } = answers()
  const [name, within] = look
  const outcome = outcomeOf(() =>
    entries.getOrSetSync(`${name} ${path.slice(-40).toWellFormed()}`, context => within(context, path), { onResult }),
  )
  return { outcome, isHit: results[0]?.isHit }
}

function project(files: Record<string, string> = {}) {
  const tree = new Tree({
    'package.json': '{}',
    file: 'text',
    'dir/x': '',
    'other/file': 'other text',
    'other/deep/': '',
    ...files,
  })
  const links = { loop: 'loop', dangling: 'nowhere', link: 'file', elsewhere: 'other/deep', beside: 'dir' }
  for (const [name, target] of Object.entries(links)) symlinkSync(target, tree.at(name))
  return { tree, ...tree.opened({ project: tree.root }) }
}

const LONG = 'x'.repeat(300)
const PATHS: [string, string][] = [
  ['a file', 'file'],
  ['a directory', 'dir'],
  ['nothing', 'none'],
  ['a path below a file', 'file/below'],
  ['a path below a missing directory', 'none/below'],
  ['a name of 300 bytes', LONG],
  ['a path below a name of 300 bytes', `${LONG}/below`],
  ['a path of 70,000 bytes', 'x/'.repeat(35_000)],
  ['a name with NUL', 'a\0b'],
  ['a name with a lone surrogate', 'a\ud800'],
  ['a symbolic link to itself', 'loop'],
  ['a broken symbolic link', 'dangling'],
  ['a symbolic link to a file', 'link'],
  ['a file reached by link/..', 'elsewhere/../file'],
  ['a directory reached by link/..', 'elsewhere/..'],
  ['the directory of a link to a sibling, reached by link/..', 'beside/../file'],
  ['a missing path reached by link/..', 'elsewhere/../dir/x'],
  ['a file reached by missing/..', 'none/../file'],
  ['a file with a trailing slash', 'file/'],
  ['a directory with a trailing slash', 'dir/'],
  ['a missing path with a trailing slash', 'none/'],
]

describe.each(PATHS)('%s', (_what, name) => {
  test.each(LOOKS)('%s gives the same as without a cache', (...look) => {
    const { tree, entries, warnings } = project()
    const path = `${tree.root}/${name}`
    for (let i = 0; i < 2; i++) expect(asked(entries, look, path).outcome).toEqual(outcomeOf(() => look[2](path)))
    expect(warnings).toEqual([])
  })

  test('can be analysed, declared and added as a dependency as without a cache', () => {
    const { tree, entries, warnings } = project()
    const path = `${tree.root}/${name}`
    for (let i = 0; i < 2; i++) {
      for (const anywhere of [false, true]) {
        const analysis = outcomeOf(() => entries.analyzeSync('text', path, ({ source }) => source, { anywhere }))
        expect(analysis).toEqual(outcomeOf(() => readFileSync(path, 'utf8')))
      }
      expect(entries.getOrSetSync('declared', () => 1, { files: [path] })).toBe(1)
      expect(entries.getOrSetSync('named', ({ addDependency }) => addDependency(path) ?? 1)).toBe(1)
      expect(entries.getOrSetSync('glob', ({ glob }) => glob('*', { cwd: path })).length).toBeLessThan(2)
      expect(entries.set('set', 1, { files: [path] })).toBe(true)
    }
    expect(warnings).toEqual([])
  })
})

test('a path with .. after a link is never cached, and one with .. after a directory is an input', () => {
  const { tree, entries } = project()
  const calls: string[] = []
  const read = (path: string) =>
    entries.getOrSetSync(path, ({ readFile }) => {
      calls.push(path)
      return readFile(`${tree.root}/${path}`)
    })
  const paths = ['elsewhere/../file', 'dir/../file']
  expect(paths.map(read)).toEqual(['other text', 'text'])
  expect(paths.map(read)).toEqual(['other text', 'text'])
  expect(calls).toEqual([...paths, 'elsewhere/../file'])
  rmSync(tree.at('elsewhere'))
  symlinkSync('dir', tree.at('elsewhere'))
  expect(paths.map(read)).toEqual(['text', 'text'])
  entries.set('set', 1, { files: [`${tree.root}/dir/../file`] })
  expect(entries.get('set')).toBe(1)
})

test.each(LOOKS)('for an empty path, %s gives the same as without a cache', (...look) => {
  const { entries } = project()
  const outcome = outcomeOf(() => entries.getOrSetSync('empty', context => look[1](context, '')))
  expect(outcome).toEqual(outcomeOf(() => look[2]('')))
})

describe('a file without stable content', () => {
  test('such as /dev/null, is read each time', () => {
    const { entries, warnings } = project()
    const read = LOOKS[0] as Look
    for (let i = 0; i < 2; i++)
      expect(asked(entries, read, '/dev/null')).toEqual({ outcome: { value: '' }, isHit: false })
    const calls: number[] = []
    for (let i = 0; i < 2; i++) {
      entries.analyzeSync('null', '/dev/null', ({ source }) => calls.push(1) && source)
      entries.analyzeSync('any', '/dev/null', ({ source }) => calls.push(1) && source, { anywhere: true })
      entries.getOrSetSync('declared', () => calls.push(1), { files: ['/dev/null'] })
      entries.getOrSetSync('named', ({ addDependency }) => addDependency('/dev/null') ?? calls.push(1))
    }
    expect(calls.length).toBe(8)
    expect(warnings).toEqual([])
  })

  test('such as a pipe, is read once per computation', () => {
    const { tree, entries, warnings } = project()
    const pipe = tree.at('pipe')
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
    const send = (text: string) => spawn('sh', ['-c', 'printf %s "$0" > "$1"', text, pipe])
    for (const text of ['one', 'two']) {
      send(text)
      expect(entries.getOrSetSync('pipe', ({ readFile }) => readFile(pipe))).toBe(text)
      send(text)
      expect(entries.analyzeSync('pipe', pipe, ({ source }) => source)).toBe(text)
      send(text)
      expect(entries.analyzeSync('pipe', pipe, ({ source }) => source, { anywhere: true })).toBe(text)
    }
    expect(entries.getOrSetSync('exists', ({ exists }) => exists(pipe))).toBe(true)
    expect(warnings).toEqual([])
  })

  test.each([
    ['standard input', 'exec "$0" "$@" < <(printf text)', '/dev/stdin'],
    ['a process substitution', 'exec 9< <(printf text); exec "$0" "$@"', '/dev/fd/9'],
  ])('such as %s, is readable by the computation', async (_what, script, path) => {
    const { tree } = project()
    const { lines } = await runModule(
      `const entries = library.openCacheSync({ dir: args.dir, onWarning }).namespace('tool', { project: args.root })
       print(JSON.stringify(entries.analyzeSync('text', args.path, ({ source }) => source)))
       print(JSON.stringify(entries.getOrSetSync('again', ({ exists }) => exists(args.path))))`,
      { dir: tree.at('cache'), root: tree.root, path },
      { under: ['bash', '-c', script] },
    )
    expect(lines).toEqual(['"text"', 'true'])
  })

  test('such as those of procfs, is never served stale', () => {
    const { entries } = project()
    const read = LOOKS[0] as Look
    for (let i = 0; i < 3; i++) {
      expect(asked(entries, read, '/proc/version').outcome).toEqual({ value: readFileSync('/proc/version', 'utf8') })
    }
    const uptime = () =>
      Number.parseFloat(String((asked(entries, read, '/proc/uptime').outcome as { value: string }).value))
    const first = uptime()
    while (Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) === first);
    expect(uptime()).toBeGreaterThan(first)
  })
})

describe('a file of more than 2 GiB', () => {
  function huge() {
    const { tree, ...rest } = project({ huge: '' })
    truncateSync(tree.at('huge'), 2 ** 31 + 5)
    return { tree, path: tree.at('huge'), ...rest }
  }

  test.each(LOOKS)('%s gives the same as without a cache', (...look) => {
    const { entries, path, warnings } = huge()
    for (let i = 0; i < 2; i++) expect(asked(entries, look, path).outcome).toEqual(outcomeOf(() => look[2](path)))
    expect(warnings).toEqual([])
  })

  test('can be declared and added as a dependency, but the results are not stored', () => {
    const { entries, path, warnings } = huge()
    const calls: number[] = []
    for (let i = 0; i < 2; i++) {
      entries.getOrSetSync('declared', () => calls.push(1), { files: [path] })
      entries.getOrSetSync('named', ({ addDependency }) => addDependency(path) ?? calls.push(1))
      expect(outcomeOf(() => entries.analyzeSync('huge', path, () => 1))).toEqual(outcomeOf(() => readFileSync(path)))
    }
    expect(calls.length).toBe(4)
    expect([entries.set('key', 1, { files: [path] }), entries.get('key')]).toEqual([true, undefined])
    expect(warnings).toEqual([])
  })
})

/** Looks at each path with a cache, twice, and without one; prints what differs, and what was looked at. */
const COMPARE = `
  import { existsSync, readdirSync, readFileSync } from 'node:fs'
  if (args.uid) process.setgid(args.uid), process.setuid(args.uid)
  const entries = library.openCacheSync({ dir: args.dir, onWarning }).namespace('tool', { project: args.root })
  const outcomeOf = call => {
    try {
      return { value: call() }
    } catch ({ code, message, permission, resource }) {
      return { code, message, permission, resource }
    }
  }
  const looks = {
    readFile: [(ctx, path) => ctx.readFile(path), path => readFileSync(path, 'utf8')],
    exists: [(ctx, path) => ctx.exists(path), path => existsSync(path)],
    readDirectory: [(ctx, path) => ctx.readDirectory(path), path => readdirSync(path).sort()],
  }
  for (const path of args.paths) {
    const bare = JSON.stringify(outcomeOf(() => readFileSync(path, 'utf8')))
    for (let i = 0; i < 2; i++) {
      const analysis = JSON.stringify(outcomeOf(() => entries.analyzeSync('text', path, ({ source }) => source)))
      if (analysis !== bare) print('analyze of ' + path + ' gave ' + analysis + ', not ' + bare)
      entries.getOrSetSync('named ' + path, ctx => ctx.addDependency(path) ?? 1)
      entries.getOrSetSync('declared ' + path, () => 1, { files: [path] })
      entries.getOrSetSync('glob ' + path, ctx => ctx.glob('**', { cwd: path }))
      entries.set('set ' + path, 1, { files: [path] })
      for (const [name, [within, without]] of Object.entries(looks)) {
        const given = JSON.stringify(outcomeOf(() => entries.getOrSetSync(name + path, ctx => within(ctx, path))))
        const expected = JSON.stringify(outcomeOf(() => without(path)))
        if (given !== expected) print(name + ' of ' + path + ' gave ' + given + ', not ' + expected)
      }
    }
    print((JSON.parse(bare).code ?? 'read') + ' ' + path.slice(args.root.length + 1))
  }
`

describe('a path that the process has no permission to read', () => {
  const UID = 65_534

  test('because of its user gives the same as without a cache', async () => {
    const { tree } = project({ 'closed/x': 'x', 'unlisted/x': 'x', 'unreadable/x': 'x', unread: 'x', 'cache/': '' })
    const modes = { closed: 0o700, unlisted: 0o711, 'unreadable/x': 0o600, unread: 0o600 }
    for (const [name, mode] of Object.entries(modes)) chmodSync(tree.at(name), mode)
    chmodSync(tree.root, 0o755)
    chownSync(tree.at('cache'), UID, UID)
    const names = ['file', 'closed', 'closed/x', 'closed/none', 'unlisted', 'unlisted/x', 'unreadable/x', 'unread']
    const ended = await runModule(COMPARE, {
      uid: UID,
      dir: tree.at('cache'),
      root: tree.root,
      paths: names.map(name => tree.at(name)),
    })
    expect(ended.lines).toEqual([
      'read file',
      'EACCES closed',
      'EACCES closed/x',
      'EACCES closed/none',
      'EACCES unlisted',
      'read unlisted/x',
      'EACCES unreadable/x',
      'EACCES unread',
    ])
    expect(ended.stderr).toBe('')
  })

  test('is an input: the result is stale once the path is readable', async () => {
    const { tree } = project({ 'closed/x': 'x', 'cache/': '' })
    chmodSync(tree.root, 0o755)
    chownSync(tree.at('cache'), UID, UID)
    const ask = async (mode: number) => {
      chmodSync(tree.at('closed'), mode)
      const { lines } = await runModule(
        `process.setgid(args.uid), process.setuid(args.uid)
         const entries = library.openCacheSync({ dir: args.dir, onWarning }).namespace('tool', { project: args.root })
         const onResult = ({ isHit }) => print(isHit)
         print(entries.getOrSetSync('exists', ({ exists }) => exists(args.path), { onResult }))
         print(entries.getOrSetSync('read', ({ readFile }) => {
           try { return readFile(args.path) } catch ({ code }) { return code }
         }, { onResult }))
         print(entries.getOrSetSync('glob', ({ glob }) => glob('closed/*', { cwd: args.root }), { onResult }))`,
        { uid: UID, dir: tree.at('cache'), root: tree.root, path: tree.at('closed/x') },
      )
      return lines
    }
    const closed = ['false', 'EACCES', '']
    const open = ['true', 'x', 'closed/x']
    const withHits = (values: string[], isHit: boolean) => values.flatMap(value => [String(isHit), value])
    expect(await ask(0o700)).toEqual(withHits(closed, false))
    expect(await ask(0o700)).toEqual(withHits(closed, true))
    expect(await ask(0o755)).toEqual(withHits(open, false))
    expect(await ask(0o700)).toEqual(withHits(closed, true))
  })

  test("because of Node's permission model gives the same as without a cache", async () => {
    const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
    const { tree } = project({ 'secret/x': 'x', 'cache/': '' })
    const readable = [projectRoot, tree.at('cache'), tree.at('file'), tree.at('dir')]
    const ended = await runModule(
      COMPARE,
      {
        dir: tree.at('cache'),
        root: tree.root,
        paths: ['file', 'dir', 'dir/x', 'secret', 'secret/x', 'none'].map(name => tree.at(name)),
      },
      {
        env: { NODE_NO_WARNINGS: '1' },
        flags: [flag, ...readable.map(path => `--allow-fs-read=${path}`), `--allow-fs-write=${tree.at('cache')}`],
      },
    )
    expect(ended.lines).toEqual([
      'read file',
      'EISDIR dir',
      'read dir/x',
      'ERR_ACCESS_DENIED secret',
      'ERR_ACCESS_DENIED secret/x',
      'ERR_ACCESS_DENIED none',
    ])
    expect(ended.stderr).toBe('')
  })
})
