// The installed bundle: started by its shebang, in separate processes, with real pipes.

import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { commands } from '../../cli/program.js'
import { openerFor } from '../../cli/report/open.js'
import { createRemoteKeys } from '../../src/index.js'
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

  test('contains no second copy of the library', () => {
    const code = readFileSync(built, 'utf8')
    expect(code).toContain('require("./index.cjs")')
    expect(code).not.toContain('Signature: 8a477f597d28d172789f06886806bc55')
  })

  test('sets, gets, lists, counts and deletes', async () => {
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

  test('exits with 0, 1 or 2', async () => {
    const cwd = project()
    expect((await shell('wicked-cache stats', { cwd })).code).toBe(0)
    expect((await shell('wicked-cache get ns key', { cwd })).code).toBe(1)
    const wrong = await shell('wicked-cache get ns --frob', { cwd })
    expect(wrong).toMatchObject({ code: 2, out: '', err: expect.stringContaining('--frob') })
  })

  test('reports that the working directory was removed', async () => {
    const cwd = project()
    const there = 'mkdir gone && cd gone && rmdir ../gone &&'
    const message = 'wicked-cache: The working directory was removed; change to another one.\n'
    for (const command of ['stats', 'list --json', 'run']) {
      expect(await shell(`${there} wicked-cache ${command}`, { cwd })).toEqual({ code: 1, out: '', err: message })
    }
    const run = await shell(`${there} wicked-cache run ns -- echo hello`, { cwd })
    expect(run).toMatchObject({ code: 2, out: '', err: expect.not.stringContaining('    at ') })
    expect(await shell(`${there} wicked-cache path`, { cwd })).toMatchObject({ code: 0, err: '' })
  })

  test('ends quietly when the pipe is closed', async () => {
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

  test('loads yargs only when it is needed', async () => {
    const cwd = project()
    await filled(join(cwd, 'cache'), cache => void cache.namespace('ns', { project: cwd }).set('key', 1))
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
    // Any version's entry will do, so all records with the key's place are looked at.
    const files = ['list.cjs', 'cli.cjs', 'index.cjs', 'entry-info.cjs', 'maintenance.cjs', 'listing.cjs']
    expect(await loaded('wicked-cache has ns key')).toEqual(files)
    expect(await loaded('wicked-cache has ns key --help')).toEqual(['list.cjs', 'cli.cjs', 'cli-program.cjs'])
  })

  test('writes all of a long value to a file and to a slow pipe', async () => {
    const cwd = project()
    const text = 'x'.repeat(3_000_000)
    await filled(join(cwd, 'cache'), cache => void cache.namespace('ns', { project: cwd }).set('key', text))
    expect((await shell('wicked-cache get ns key --raw > out; wc -c < out', { cwd })).out.trim()).toBe('3000000')
    const slow = `wicked-cache get ns key --raw | { read -r -N 10 start; printf %s "$start"; cat; } | wc -c`
    expect((await shell(slow, { cwd })).out.trim()).toBe('3000000')
  })

  test('prints English help in any locale, beside an invalid package.json', async () => {
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
    // What examples expect of a project and its machine: a program with a cache, what it recorded, a browser.
    const packageJson = { name: 'example', scripts: { lint: 'wicked-cache get my-plugin greeting' } }
    writeFileSync(join(cwd, 'package.json'), JSON.stringify(packageJson))
    const recorded = { namespace: 'my-plugin', key: 'greeting', isHit: true, ms: 1 }
    writeFileSync(join(cwd, 'trace.jsonl'), `${JSON.stringify(recorded)}\n`)
    const [opener] = openerFor('', process.platform)
    writeFileSync(join(cwd, 'bin', opener), '#!/bin/sh\ncat "$1" > opened\n', { mode: 0o755 })
    const { publicKey, signingKey } = createRemoteKeys()
    const env = {
      npm_config_update_notifier: 'false',
      WICKED_CACHE_REMOTE: pathToFileURL(cwd).href,
      WICKED_CACHE_REMOTE_KEYS: publicKey,
      WICKED_CACHE_REMOTE_SIGNING_KEY: signingKey,
    }
    if (line.includes('pull')) await shell(line.replace('pull', 'push'), { cwd, env })
    const { code, out, err } = await shell(line, { cwd, env, isEndless: /^wicked-cache (watch\b|top$)/.test(line) })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).not.toBe('')
    if (line.includes('--open')) expect(readFileSync(join(cwd, 'opened'), 'utf8')).toContain('<title>Cache report')
    const traced = readFileSync(join(cwd, 'trace.jsonl'), 'utf8').split('\n').length - 1
    expect(traced).toBe(line.startsWith('WICKED_CACHE_TRACE') ? 2 : 1)
  })
})
