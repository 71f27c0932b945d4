// The Claude Code plugin's own files.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commands } from '../../cli/program.js'
import { projectRoot } from '../support/children.js'
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

  test('are there for list, stats, clear, gc and explain, and for all of them', () => {
    expect(names.sort()).toEqual(['cache', 'clear', 'explain', 'gc', 'list', 'stats'])
  })

  test.each(names)('%s runs commands that there are, with options that they have', name => {
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

test('the bundle is one file that needs no package', () => {
  const built = join(plugin, 'dist', 'wicked-cache.cjs')
  const required = [...readFileSync(built, 'utf8').matchAll(/require\("([^"]+)"\)/g)].map(([, name = '']) => name)
  expect(required.filter(name => !name.startsWith('node:') && name.startsWith('.'))).toEqual([])
  expect(required).not.toContain('chokidar')
  const version = execFileSync(process.execPath, [built, '--version'], { encoding: 'utf8', cwd: '/' })
  expect(version.trim()).toBe(json('.claude-plugin', 'plugin.json').version)
})
