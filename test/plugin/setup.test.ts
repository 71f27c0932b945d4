// `wicked-cache setup`: what it installs, and which files it leaves alone.

import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { cli, temporaryDir } from '../cli/harness.js'
import { filesBelow } from '../support/caches.js'
import { plugin } from '../support/python.js'

const RECORD = '.wicked-cache-setup.json'
const ours = () => filesBelow(plugin).filter(file => !file.includes('__pycache__'))

function home() {
  const dir = temporaryDir()
  const target = join(dir, '.claude', 'plugins', 'wicked-cache')
  const run = async (...flags: string[]) => {
    const { code, out, err } = await cli(['setup', '--json', ...flags], { env: { HOME: dir } })
    return { code, err, ...(out === '' ? {} : JSON.parse(out)) }
  }
  const files = () => (existsSync(target) ? filesBelow(target) : [])
  return { dir, target, run, files }
}

test('installs all files of the plugin, reports it, and does nothing when run again', async () => {
  const { dir, target, run, files } = home()
  const { code, out, err } = await cli(['setup'], { env: { HOME: dir } })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out.split('\n')[0]).toBe(`${target}: ${ours().length} created`)
  expect(files()).toEqual([RECORD, ...ours()].sort())
  for (const file of ours()) {
    expect(readFileSync(join(target, file)).equals(readFileSync(join(plugin, file))), file).toBe(true)
  }
  expect(statSync(join(target, 'bin', 'wicked-cache')).mode & 0o111).toBe(0o111)
  expect(await run()).toMatchObject({ code: 0, created: [], updated: [], removed: [], kept: [], unchanged: ours() })
})

test('the installed program runs and can remove itself', async () => {
  const { dir, target, run, files } = home()
  await run()
  const program = join(target, 'bin', 'wicked-cache')
  const env = { ...process.env, HOME: dir, WICKED_CACHE_DIR: join(dir, 'cache') }
  const shell = (...args: string[]) => execFileSync(program, args, { env, encoding: 'utf8', cwd: dir })
  expect(shell('path')).toBe(`${join(dir, 'cache')}\n`)
  expect(shell('set', 'ns', 'key', '1', '--user-wide', '--json')).toContain('true')
  expect(shell('stats', '--json')).toContain('"entryCount":1')
  // A file that was put there since is not one of the plugin.
  writeFileSync(join(target, 'notes.txt'), 'mine')
  expect(shell('setup')).toBe(`${target} is this installation: nothing to do\n`)
  expect(shell('setup', '--remove')).toContain(`${ours().length} removed`)
  expect(files()).toEqual(['notes.txt'])
})

test('--dry-run changes nothing', async () => {
  const { run, files } = home()
  expect(await run('--dry-run')).toMatchObject({ code: 0, isDryRun: true, created: ours() })
  expect(files()).toEqual([])
  await run()
  const before = files()
  expect(await run('--dry-run', '--remove')).toMatchObject({ code: 0, removed: expect.arrayContaining(ours()) })
  expect(files()).toEqual(before)
})

test('an upgrade replaces files of an earlier version and removes obsolete ones', async () => {
  const { target, run, files } = home()
  await run()
  const record = JSON.parse(readFileSync(join(target, RECORD), 'utf8'))
  const { createHash } = await import('node:crypto')
  const old = (path: string, text: string) => {
    writeFileSync(join(target, path), text)
    record.files[path] = createHash('sha256').update(text).digest('hex')
  }
  old('scripts/cache.py', '# an earlier version')
  old('scripts/gone.py', '# no longer needed')
  writeFileSync(join(target, RECORD), JSON.stringify(record))
  expect(await run()).toMatchObject({ code: 0, updated: ['scripts/cache.py'], removed: ['scripts/gone.py'], kept: [] })
  expect(files()).toEqual([RECORD, ...ours()].sort())
})

test('keeps foreign files, even where it wants to install its own', async () => {
  const { target, run, files } = home()
  const foreign = { 'scripts/cache.py': '# of another plugin', 'scripts/other.py': '1', 'notes.txt': '2' }
  for (const [path, text] of Object.entries(foreign)) {
    mkdirSync(dirname(join(target, path)), { recursive: true })
    writeFileSync(join(target, path), text)
  }
  const expectForeign = () => {
    for (const [path, text] of Object.entries(foreign)) expect(readFileSync(join(target, path), 'utf8')).toBe(text)
  }
  for (let times = 0; times < 2; times++) {
    expect(await run()).toMatchObject({ code: 1, kept: ['scripts/cache.py'], err: expect.stringContaining('cache.py') })
    expectForeign()
  }
  expect(await run('--remove')).toMatchObject({ code: 0, kept: [] })
  expectForeign()
  expect(files()).toEqual(Object.keys(foreign).sort())
})

test('--remove keeps changed files and removes what Python compiled', async () => {
  const { target, run, files } = home()
  await run()
  writeFileSync(join(target, 'skills', 'gc', 'SKILL.md'), 'mine')
  mkdirSync(join(target, 'scripts', '__pycache__'))
  writeFileSync(join(target, 'scripts', '__pycache__', 'cache.cpython-311.pyc'), '')
  expect(await run('--remove')).toMatchObject({ code: 0, kept: ['skills/gc/SKILL.md'] })
  expect(files()).toEqual(['skills/gc/SKILL.md'])
  rmSync(join(target, 'skills'), { recursive: true })
  expect(await run('--remove')).toMatchObject({ code: 0, removed: [] })
  expect(existsSync(target)).toBe(false)
})

test('writes nothing through links', async () => {
  const { dir, target, run } = home()
  const elsewhere = temporaryDir()
  mkdirSync(dirname(target), { recursive: true })
  symlinkSync(elsewhere, target)
  expect(await run()).toMatchObject({ code: 1, err: expect.stringContaining(target) })
  rmSync(target)
  mkdirSync(target)
  symlinkSync(elsewhere, join(target, 'scripts'))
  expect(await run()).toMatchObject({ code: 1, err: expect.stringContaining('scripts') })
  rmSync(join(target, 'scripts'))
  symlinkSync(join(elsewhere, 'README'), join(target, 'README.md'))
  expect((await run()).code).toBe(0)
  expect(filesBelow(elsewhere)).toEqual([])
  expect(lstatSync(join(target, 'README.md')).isSymbolicLink()).toBe(true)
  expect(dir).not.toBe('')
})

test('a link to the plugin itself is left unchanged', async () => {
  const { dir, target } = home()
  mkdirSync(dirname(target), { recursive: true })
  symlinkSync(plugin, target)
  const { code, out } = await cli(['setup'], { env: { HOME: dir } })
  expect({ code, out }).toEqual({ code: 0, out: `${target} is this installation: nothing to do\n` })
})

test('a damaged or forged record removes no other file', async () => {
  const { dir, target, run } = home()
  await run()
  const victim = join(dir, 'victim')
  writeFileSync(victim, 'x')
  const { createHash } = await import('node:crypto')
  const hash = createHash('sha256').update('x').digest('hex')
  writeFileSync(join(target, RECORD), JSON.stringify({ files: { '../../../victim': hash } }))
  await run('--remove')
  expect(readFileSync(victim, 'utf8')).toBe('x')
  writeFileSync(join(target, RECORD), 'no json')
  expect(await run()).toMatchObject({ code: 0 })
})
