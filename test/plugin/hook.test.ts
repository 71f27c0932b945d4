// The example hook: what it prints, and that it parses each file content once.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { projectRoot } from '../support/children.js'

test('prints the exports of an edited file, and parses each content once', () => {
  const dir = temporaryDirectory()
  const file = join(dir, 'a.ts')
  mkdirSync(join(dir, 'node_modules', '@babel'), { recursive: true })
  symlinkSync(projectRoot, join(dir, 'node_modules', 'wicked-cache'), 'junction')
  symlinkSync(
    join(projectRoot, 'node_modules', '@babel', 'parser'),
    join(dir, 'node_modules', '@babel', 'parser'),
    'junction',
  )
  cpSync(join(projectRoot, 'examples', 'hook', 'exports.cjs'), join(dir, 'exports.cjs'))
  const root = join(dir, 'cache')
  const run = (event: object) =>
    execFileSync(process.execPath, [join(dir, 'exports.cjs')], {
      input: JSON.stringify(event),
      encoding: 'utf8',
      cwd: dir,
      env: { ...process.env, NODE_OPTIONS: '', WICKED_CACHE_DIR: root, NODE_COMPILE_CACHE: join(dir, 'compiled') },
    })
  const told = () => JSON.parse(run({ tool_name: 'Edit', tool_input: { file_path: file } })).hookSpecificOutput

  const first =
    'export const a = 1, b = 2\nexport default class {}\nexport function f(): void {}\nexport { a as "x y" }\n'
  writeFileSync(file, first)
  expect(told()).toEqual({
    hookEventName: 'PostToolUse',
    additionalContext: `${file} exports a, b, default, f, x y.`,
  })
  expect(told().additionalContext).toBe(`${file} exports a, b, default, f, x y.`)
  writeFileSync(file, 'const a = 1\n')
  expect(told().additionalContext).toBe(`${file} exports nothing.`)
  writeFileSync(
    file,
    'export const { a, x: [b, , c = 1], ...d } = e, [f] = g\nexport * from "h"\nexport * as i from "h"\n',
  )
  expect(told().additionalContext).toBe(`${file} exports a, b, c, d, f, * from h, i.`)
  writeFileSync(file, 'export const = (\n')
  expect(run({ tool_name: 'Edit', tool_input: { file_path: file } })).toBe('')
  expect(run({ tool_name: 'Edit', tool_input: { file_path: file } })).toBe('')
  writeFileSync(file, first)
  expect(told().additionalContext).toBe(`${file} exports a, b, default, f, x y.`)
  expect(openAsAnotherProcess(root).cache.namespace('exports-hook').stats()).toMatchObject({
    hitCount: 3,
    missCount: 4,
  })

  expect(run({ tool_name: 'Write', tool_input: { file_path: join(dir, 'README.md') } })).toBe('')
  expect(run({ tool_name: 'Write', tool_input: { file_path: join(dir, 'gone.ts') } })).toBe('')
  expect(run({ tool_name: 'Bash', tool_input: {} })).toBe('')
})
