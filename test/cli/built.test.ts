// The bundle, as it is installed: through its shebang, in processes of its own, with real pipes.

import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { commands } from '../../cli/program.js'
import { filled, jsonLines, temporaryDir } from './harness.js'

const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const built = join(projectRoot, 'dist', 'cli.cjs')
const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))

interface ShellOptions {
  cwd: string
  stdin?: string
  env?: Record<string, string>
  /** Whether it is asked to end once it has printed something. */
  isEndless?: boolean
}

/** Runs a line as a person types it, with `wicked-cache` on the PATH and its cache below the working directory. */
function shell(line: string, { cwd, stdin = '', env = {}, isEndless }: ShellOptions) {
  return new Promise<{ code: number | null; out: string; err: string }>((resolve, reject) => {
    const path = [join(cwd, 'bin'), dirname(process.execPath), process.env.PATH].join(delimiter)
    const child = spawn('sh', ['-c', isEndless ? `exec ${line}` : line], {
      cwd,
      env: { ...process.env, NO_COLOR: '', HOME: cwd, WICKED_CACHE_DIR: join(cwd, 'cache'), PATH: path, ...env },
    })
    let [out, err] = ['', '']
    child.stdout.on('data', chunk => {
      if (isEndless && out === '') child.kill('SIGTERM')
      out += chunk
    })
    child.stderr.on('data', chunk => {
      err += chunk
    })
    child.on('error', reject)
    child.on('close', code => resolve({ code, out, err }))
    child.stdin.end(stdin)
  })
}

/** A project with an installed `wicked-cache`. */
function project(): string {
  const cwd = temporaryDir()
  const bin = join(cwd, 'bin')
  mkdirSync(bin)
  symlinkSync(built, join(bin, 'wicked-cache'))
  writeFileSync(join(cwd, 'package.json'), '{"name": "example"}\n')
  return cwd
}

describe('the bundle', () => {
  test('prints its version', async () => {
    expect(await shell('wicked-cache --version', { cwd: project() })).toEqual({ code: 0, out: `${version}\n`, err: '' })
    expect((await shell('wicked-cache list --version', { cwd: project() })).out).toBe(`${version}\n`)
  })

  test('has no second copy of the library', () => {
    const code = readFileSync(built, 'utf8')
    expect(code).toContain('require("./index.cjs")')
    expect(code).not.toContain('Signature: 8a477f597d28d172789f06886806bc55')
  })

  test('sets, gets, lists, counts, deletes', async () => {
    const cwd = project()
    expect(await shell('wicked-cache set ns key', { cwd, stdin: '{"a": 1}' })).toEqual({
      code: 0,
      out: `Stored key in ns (project ${cwd})\n`,
      err: '',
    })
    expect(await shell('wicked-cache get ns key --json', { cwd })).toEqual({ code: 0, out: '{"a":1}\n', err: '' })
    const listed = await shell('wicked-cache list --json', { cwd })
    expect(jsonLines(listed.out)).toMatchObject([{ namespace: 'ns', key: 'key' }])
    const stats = await shell('wicked-cache stats --json', { cwd })
    expect(JSON.parse(stats.out)).toMatchObject({ dir: join(cwd, 'cache'), entryCount: 1, hitCount: 1 })
    expect(await shell('wicked-cache path', { cwd })).toEqual({ code: 0, out: `${join(cwd, 'cache')}\n`, err: '' })
    expect((await shell('wicked-cache delete ns key', { cwd })).code).toBe(0)
    expect((await shell('wicked-cache get ns key', { cwd })).code).toBe(1)
  })

  test('tells its exit codes apart', async () => {
    const cwd = project()
    expect((await shell('wicked-cache stats', { cwd })).code).toBe(0)
    expect((await shell('wicked-cache get ns key', { cwd })).code).toBe(1)
    const wrong = await shell('wicked-cache get ns --frob', { cwd })
    expect(wrong).toMatchObject({ code: 2, out: '', err: expect.stringContaining('--frob') })
  })

  test('ends quietly when its reader has gone', async () => {
    const cwd = project()
    await filled(join(cwd, 'cache'), cache =>
      cache
        .namespace('ns', { project: cwd })
        .setMany(Array.from({ length: 20_000 }, (_, index) => ({ key: `key-${index}`, value: index }))),
    )
    for (const flags of ['', '--json']) {
      const line = `{ wicked-cache list ns ${flags}; echo "exit code $?" >&2; } | head -n 1`
      const { out, err } = await shell(line, { cwd })
      expect(out.split('\n').length).toBe(2)
      expect(err).toBe('exit code 0\n')
    }
  })

  test('prints all of a long listing into a pipe', async () => {
    const cwd = project()
    await filled(join(cwd, 'cache'), cache =>
      cache
        .namespace('ns', { project: cwd })
        .setMany(Array.from({ length: 20_000 }, (_, index) => ({ key: `key-${index}`, value: index }))),
    )
    const { code, out } = await shell('wicked-cache list ns --json | cat', { cwd })
    expect(code).toBe(0)
    expect(new Set(jsonLines(out).map(entry => entry.key)).size).toBe(20_000)
  })

  test('loads yargs only where it is needed', async () => {
    const cwd = project()
    const loaded = async (line: string) => {
      const list = `--require ${join(cwd, 'list.cjs')}`
      return (await shell(line, { cwd, env: { NODE_OPTIONS: list } })).err.trim().split(' ')
    }
    writeFileSync(
      join(cwd, 'list.cjs'),
      `process.on('exit', () => console.error(Object.keys(require.cache).map(file => require('node:path').basename(file)).join(' ')))`,
    )
    expect(await loaded('wicked-cache --version')).toEqual(['list.cjs', 'cli.cjs'])
    expect(await loaded('wicked-cache path --dir x')).toEqual(['list.cjs', 'cli.cjs'])
    expect(await loaded('wicked-cache has ns key')).toEqual(['list.cjs', 'cli.cjs', 'index.cjs'])
    expect(await loaded('wicked-cache has ns key --help')).toEqual(['list.cjs', 'cli.cjs', 'cli-program.cjs'])
  })

  test('writes all of a long value to a file, and to a pipe whose reader is slow', async () => {
    const cwd = project()
    const text = 'x'.repeat(3_000_000)
    await filled(join(cwd, 'cache'), cache => void cache.namespace('ns', { project: cwd }).set('key', text))
    expect((await shell('wicked-cache get ns key --raw > out; wc -c < out', { cwd })).out.trim()).toBe('3000000')
    const slow = `wicked-cache get ns key --raw | { read -r -N 10 start; printf %s "$start"; cat; } | wc -c`
    expect((await shell(slow, { cwd })).out.trim()).toBe('3000000')
  })

  test('speaks English whatever lies beside it, and needs nothing of its surroundings', async () => {
    const cwd = project()
    writeFileSync(join(cwd, 'package.json'), 'not json')
    const { code, out, err } = await shell('wicked-cache get --help', {
      cwd,
      env: { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' },
    })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('Arguments:')
    expect(out).toContain('Options:')
  })
})

describe('every example', () => {
  const examples = commands.flatMap(({ examples }) => examples.map(([line]) => line))

  test.each(examples)('works as written: %s', async line => {
    const cwd = project()
    const source = join(cwd, 'changing')
    const analyzed = join(cwd, 'src', 'app.js')
    mkdirSync(dirname(analyzed))
    writeFileSync(analyzed, 'export {}')
    writeFileSync(source, 'before')
    await filled(join(cwd, 'cache'), cache => {
      for (const version of ['', '1.2.0'])
        cache.namespace('my-plugin', { version, project: cwd }).set('src/app.js', { version })
      const plugin = cache.namespace('my-plugin', { project: cwd })
      plugin.set('--strict', true)
      plugin.set('greeting', 'hello')
      plugin.set('stale', 1, { files: [source] })
      plugin.analyzeSync('imports', analyzed, () => [])
    })
    writeFileSync(source, 'after!!')
    const { code, out, err } = await shell(line, { cwd, isEndless: line.startsWith('wicked-cache watch') })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).not.toBe('')
  })
})
