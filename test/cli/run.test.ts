// `wicked-cache run` runs a command once for each state of its inputs.

import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { builtCli } from '../serve/client.js'
import { settle, temporaryDirectory } from '../support/caches.js'
import { start } from '../support/children.js'

/** A project with a command that counts how often it is run. */
function project() {
  const dir = temporaryDirectory()
  const root = join(temporaryDirectory(), 'cache')
  writeFileSync(join(dir, 'package.json'), '{}')
  const runs = join(dir, 'runs')
  const runCount = () => (existsSync(runs) ? readFileSync(runs, 'utf8').length : 0)
  /** What `wicked-cache run ns` gives for a line of a shell, and whether the line was run. */
  const run = async (flags: readonly string[], line = 'echo done', env: Record<string, string> = {}, cwd = dir) => {
    const before = runCount()
    const command = ['sh', '-c', `printf x >> ${runs}; ${line}`]
    const child = start([builtCli, 'run', 'ns', '--dir', root, ...flags, '--', ...command], { cwd, env })
    child.end()
    const { code, lines, stderr } = await child.ended
    return { code, out: lines.join('\n'), err: stderr, isRun: runCount() > before }
  }
  const edit = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    settle(join(dir, name))
  }
  return { dir, root, run, edit }
}

test('runs once and replays both streams in order, every byte, and the exit code', async () => {
  const { dir, root, run } = project()
  const line = `for i in 1 2 3; do echo out $i; sleep 0.02; echo err $i >&2; sleep 0.02; done; printf '\\377\\000end'`
  const first = await run([], line)
  const second = await run([], line)
  expect(first).toMatchObject({ code: 0, isRun: true, err: 'err 1\nerr 2\nerr 3\n' })
  expect(second).toEqual({ ...first, isRun: false })
  const shell = ['sh', '-c', `"$@" > ${join(dir, 'both')} 2>&1`, 'sh', process.execPath, builtCli]
  const command = ['sh', '-c', `printf x >> ${join(dir, 'runs')}; ${line}`]
  const child = start(
    [
      '-e',
      `require('node:child_process').execFileSync(${JSON.stringify(shell[0])}, ${JSON.stringify([...shell.slice(1), 'run', 'ns', '--dir', root, '--', ...command])})`,
    ],
    { cwd: dir },
  )
  child.end()
  expect((await child.ended).code).toBe(0)
  expect(readFileSync(join(dir, 'both'), 'latin1')).toBe('out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n\xff\0end')
})

describe('runs the command again', () => {
  test('when a file changes, but not when it changes back', async () => {
    const { run, edit } = project()
    const flags = ['--file', 'input']
    edit('input', 'one')
    expect((await run(flags, 'cat input')).out).toBe('one')
    edit('input', 'two')
    expect(await run(flags, 'cat input')).toMatchObject({ out: 'two', isRun: true })
    edit('input', 'one')
    expect(await run(flags, 'cat input')).toMatchObject({ out: 'one', isRun: false })
  })

  test('when a matching file is added or changed', async () => {
    const { dir, run, edit } = project()
    mkdirSync(join(dir, 'src'))
    const flags = ['--glob', 'src/**/*.js']
    edit('src/a.js', 'a')
    expect((await run(flags)).isRun).toBe(true)
    expect((await run(flags)).isRun).toBe(false)
    edit('src/b.ts', 'b')
    expect((await run(flags)).isRun).toBe(false)
    edit('src/b.js', 'b')
    expect((await run(flags)).isRun).toBe(true)
    edit('src/b.js', 'c')
    expect((await run(flags)).isRun).toBe(true)
  })

  test('when a variable, an argument, the directory or the options differ', async () => {
    const { dir, run } = project()
    mkdirSync(join(dir, 'sub'))
    const flags = ['--env', 'MODE']
    const all: Parameters<typeof run>[] = [
      [flags, 'echo a', { MODE: '1' }],
      [flags, 'echo a', { MODE: '2' }],
      [flags, 'echo b', { MODE: '1' }],
      [flags, 'echo a', { MODE: '1' }, join(dir, 'sub')],
      [[...flags, '--file', 'package.json'], 'echo a', { MODE: '1' }],
    ]
    for (const each of all) expect((await run(...each)).isRun).toBe(true)
    for (const each of all) expect((await run(...each)).isRun).toBe(false)
    expect((await run(flags, 'echo a', { MODE: '1', OTHER: '2' })).isRun).toBe(false)
  })

  test('when there is an additional input', async () => {
    const { run } = project()
    for (const flags of [[], ['--env', 'MODE'], ['--glob', '*.json'], ['--env', 'MODE', '--env', 'OTHER']]) {
      expect((await run(flags)).isRun).toBe(true)
      expect((await run(flags)).isRun).toBe(false)
    }
    expect((await run(['--env', 'OTHER', '--env', 'MODE'])).isRun).toBe(false)
  })

  test('when the ttl is over', async () => {
    const { run } = project()
    expect((await run(['--ttl', '1h'])).isRun).toBe(true)
    expect((await run(['--ttl', '1h'])).isRun).toBe(false)
    expect((await run(['--ttl', '1ms'])).isRun).toBe(true)
  })

  test('when it failed, unless --failures is given', async () => {
    const { run } = project()
    const line = 'echo bad >&2; exit 3'
    for (let times = 0; times < 2; times++)
      expect(await run([], line)).toMatchObject({ code: 3, err: 'bad\n', isRun: true })
    expect(await run(['--failures'], line)).toMatchObject({ code: 3, isRun: true })
    expect(await run(['--failures'], line)).toMatchObject({ code: 3, err: 'bad\n', isRun: false })
  })

  test('when a failure was stored by a call with --failures', async () => {
    const { run } = project()
    expect((await run(['--failures'], 'exit 3')).isRun).toBe(true)
    expect(await run([], 'exit 3')).toMatchObject({ code: 3, isRun: true })
    expect(await run(['--failures'], 'exit 3')).toMatchObject({ code: 3, isRun: false })
  })

  test('when it was killed', async () => {
    const { run } = project()
    for (let times = 0; times < 2; times++) {
      expect(await run(['--failures'], 'kill -TERM $$')).toMatchObject({ code: 143, isRun: true })
    }
  })

  test('when it changed its own input', async () => {
    const { run, edit } = project()
    edit('input', 'x')
    const flags = ['--file', 'input']
    const line = 'echo formatted > input'
    expect((await run(flags, line)).isRun).toBe(true)
    expect((await run(flags, line)).isRun).toBe(true)
    expect((await run(flags, line)).isRun).toBe(false)
  })

  test.each([[['--file', 'input']], [['--glob', 'in*']]])('when an input of %j changed while it ran', async flags => {
    const { dir, run, edit } = project()
    for (const change of ['echo B > input', 'rm input', 'rm input; mkdir input']) {
      const line = `[ -e once ] || { touch once; ${change}; }; cat input 2>&1; true`
      for (const name of ['once', 'input']) rmSync(join(dir, name), { recursive: true, force: true })
      edit('input', 'A')
      expect((await run(flags, line)).out, change).not.toBe('A')
      rmSync(join(dir, 'input'), { recursive: true, force: true })
      edit('input', 'A')
      expect(await run(flags, line), change).toMatchObject({ out: 'A', isRun: true })
      expect(await run(flags, line), change).toMatchObject({ out: 'A', isRun: false })
    }
  })

  test('when a matching file was added while it ran', async () => {
    const { dir, run } = project()
    const line = '[ -e once ] || { touch once a.js; }; ls *.js 2>&1; true'
    expect((await run(['--glob', '*.js'], line)).out).toBe('a.js')
    rmSync(join(dir, 'a.js'))
    expect((await run(['--glob', '*.js'], line)).out).not.toBe('a.js')
  })
})

test.each([
  ['no-such-command', 127],
  ['./no-such-directory/command', 127],
  ['./package.json/command', 127],
  ['x'.repeat(300), 127],
  ['', 127],
  ['./package.json', 126],
])('a command that does not start, %j, exits with %i and is never cached', async (command, expected) => {
  const { dir, root } = project()
  for (let times = 0; times < 2; times++) {
    const child = start([builtCli, 'run', 'ns', '--failures', '--dir', root, '--', command], { cwd: dir })
    child.end()
    const { code, stderr } = await child.ended
    expect({ code, isNamed: stderr.startsWith(`${command}: `) }).toEqual({ code: expected, isNamed: true })
  }
})

test('too few file descriptors are reported', async () => {
  const { dir, root } = project()
  const args = [builtCli, 'run', 'ns', '--dir', root, '--', 'echo', 'done']
  for (let limit = 18; limit < 28; limit += 2) {
    const child = start(args, { cwd: dir, under: ['sh', '-c', `ulimit -n ${limit}; exec "$@"`, 'sh'] })
    child.end()
    const { code, stderr } = await child.ended
    // With fewer than it needs, Node itself may not start.
    if (stderr.startsWith('echo: ')) expect({ limit, code }).toEqual({ limit, code: 126 })
    else expect(stderr).not.toContain('TypeError')
  }
})

test('passes no stdin to the command', async () => {
  expect(await project().run([], 'cat')).toMatchObject({ code: 0, out: '' })
})

test('a signal ends the command, and nothing is stored', async () => {
  const { dir, root } = project()
  const child = start(
    [builtCli, 'run', 'ns', '--dir', root, '--failures', '--', 'sh', '-c', 'echo ready; exec sleep 60'],
    { cwd: dir },
  )
  expect(await child.line()).toBe('ready')
  const closed = once(child.process, 'close')
  child.process.kill('SIGTERM')
  await closed
  expect((await child.ended).code).toBe(143)
})

test('a broken cache still runs the command, with its exit code', async () => {
  const { dir, root } = project()
  writeFileSync(root, 'a file')
  symlinkSync(root, join(dir, 'link'))
  for (const line of ['exit 0', 'exit 5']) {
    const child = start([builtCli, 'run', 'ns', '--dir', root, '--failures', '--', 'sh', '-c', `echo out; ${line}`], {
      cwd: dir,
    })
    child.end()
    const { code, lines, stderr } = await child.ended
    expect({ code, lines }).toEqual({ code: Number(line.slice(5)), lines: ['out'] })
    expect(stderr).toContain('ERR_CACHE_ROOT')
  }
})

test('list and explain show the command', async () => {
  const { dir, root, run } = project()
  await run(['--file', 'package.json'], `echo "it's"`)
  const child = start([builtCli, 'list', 'ns', '--json', '--dir', root], { cwd: dir })
  child.end()
  const [line = ''] = (await child.ended).lines
  expect(JSON.parse(line)).toMatchObject({
    origin: 'getOrSet',
    mode: 'file',
    valid: true,
    key: expect.stringContaining(`echo "it'\\''s"`),
  })
})
