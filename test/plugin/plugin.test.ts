// The Claude Code plugin's own files.

import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commands } from '../../cli/program.js'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { projectRoot, start } from '../support/children.js'
import { plugin } from '../support/python.js'

const read = (...path: string[]) => readFileSync(join(plugin, ...path), 'utf8')
const json = (...path: string[]) => JSON.parse(read(...path))

test('has the name and the version of the package', () => {
  const { name, version, license, files } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  expect(json('.claude-plugin', 'plugin.json')).toMatchObject({ name, version, license })
  expect(files).toContain('plugin')
  const { plugins } = json('.claude-plugin', 'marketplace.json')
  expect(plugins).toMatchObject([{ name, source: './' }])
})

describe('skills', () => {
  const names = readdirSync(join(plugin, 'skills'))

  test('exist for list, stats, clear, gc and explain, and for all of them together', () => {
    expect(names.sort()).toEqual(['cache', 'clear', 'explain', 'gc', 'list', 'stats'])
  })

  test.each(names)('%s runs only existing commands and options', name => {
    const [, header = '', body = ''] = /^---\n(.*?)\n---\n(.*)$/s.exec(read('skills', name, 'SKILL.md')) ?? []
    const fields = Object.fromEntries(header.split('\n').map(line => line.split(/: (.*)/)))
    expect(fields).toMatchObject({
      name,
      'allowed-tools': 'Bash(wicked-cache:*)',
      description: expect.stringMatching(/\.$/),
    })
    const used = [...body.matchAll(/`wicked-cache ([a-z]+)/g)].map(([, command]) => command)
    const known = commands.map(command => command.name)
    for (const command of used) expect(known).toContain(command)
    if (name !== 'cache') expect(used).toContain(name)
    for (const [, option = ''] of `${header}\n${body}`.matchAll(/--([a-z-]+)/g)) {
      const mentioned = name === 'cache' ? commands : commands.filter(command => used.includes(command.name))
      expect(['help', ...mentioned.flatMap(command => Object.keys(command.options))]).toContain(option)
    }
  })
})

describe('the bundle', () => {
  const built = join(plugin, 'dist', 'wicked-cache.cjs')

  test('needs no other package', () => {
    const required = [...readFileSync(built, 'utf8').matchAll(/\brequire\("([^"./]+)"\)/g)].map(([, name = '']) => name)
    expect(required.filter(name => !isBuiltin(name))).toEqual([])
    expect(readFileSync(built, 'utf8')).not.toMatch(/\bimport\(/)
    const version = execFileSync(process.execPath, [built, '--version'], { encoding: 'utf8', cwd: '/' })
    expect(version.trim()).toBe(json('.claude-plugin', 'plugin.json').version)
  })

  test('watches with its bundled chokidar', async () => {
    const dir = temporaryDirectory()
    const source = join(dir, 'src', 'a.js')
    mkdirSync(join(dir, 'src'))
    writeFileSync(source, 'a')
    const root = join(temporaryDirectory(), 'cache')
    openAsAnotherProcess(root)
      .cache.namespace('ns', { project: false })
      .set('key', 1, { files: [source] })
    const child = start([built, 'watch', join(dir, 'src'), '--dir', root, '--json'], { cwd: dir })
    expect(JSON.parse((await child.line()) ?? '')).toMatchObject({ event: 'ready', isDegraded: false })
    appendFileSync(source, 'b')
    let line = await child.line()
    while (line !== undefined && !line.includes('"key":"key"')) line = await child.line()
    expect(line).toContain('source-changed')
    child.process.kill('SIGTERM')
    expect((await child.ended).stderr).not.toContain('ERR_CACHE_WATCH')
  })
})
