// The package under other versions of Node, and under the checkers that its users run. These come from the registry, each
// into npm's own cache: none of them is a dependency of the project.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectRoot } from '../support/children.js'
import { pack } from './smoke-on-node.mjs'

let directory: string
let tarball: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'wicked-cache-test-'))
  tarball = join(directory, pack(directory))
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** What it prints, on both streams; fails where it exits with another code than 0. */
const npx = (tool: string, ...args: string[]) => {
  const options = { cwd: projectRoot, encoding: 'utf8', stdio: 'pipe', shell: process.platform === 'win32' } as const
  return execFileSync('npx', ['--yes', tool, ...args], { ...options, env: { ...process.env, NODE_OPTIONS: '' } })
}

const TIMEOUT_MS = 240_000

test.each(['20.19', '22', '24'])(
  'import and require work on Node %s',
  version => {
    const said = npx(`node@${version}`, join('test', 'package', 'smoke-on-node.mjs'))
    expect(said).toMatch(`Node v${version}.`)
    expect(said).toMatch('import.mjs, require.cjs, both.cjs work')
  },
  TIMEOUT_MS,
)

test(
  'publint finds nothing',
  () => {
    expect(npx('publint@0.3.25', '--strict', tarball)).toMatch('All good!')
  },
  TIMEOUT_MS,
)

test(
  'are-the-types-wrong finds nothing, for a package of ES modules',
  () => {
    const said = npx('@arethetypeswrong/cli@0.18.5', tarball, '--profile', 'esm-only', '--format', 'json')
    expect(JSON.parse(said).analysis.types).toEqual({ kind: 'included' })
  },
  TIMEOUT_MS,
)
