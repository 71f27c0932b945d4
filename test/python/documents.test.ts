// Documents with shell blocks that Python plugins' authors wrote or may write, run as they are in a home directory of their own,
// after `wicked-cache setup`. A block of text behind a shell block is what it prints.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { builtCli } from '../serve/client.js'
import { temporaryDirectory } from '../support/caches.js'
import { projectRoot } from '../support/children.js'
import { python } from '../support/python.js'

const documents = join(projectRoot, 'fixtures', 'claude')
const BLOCK = /^```bash\n(.*?)^```$(?:\n+```text\n(.*?)^```$)?/gms

interface Block {
  code: string
  expected: string | undefined
}

function blocksOf(name: string): Block[] {
  const found = [...readFileSync(join(documents, name), 'utf8').matchAll(BLOCK)]
  return found.map(([, code = '', expected]) => ({ code, expected }))
}

/** A user's machine: what the blocks print. */
function machine(): (code: string) => string {
  const home = temporaryDirectory()
  const cwd = join(home, 'work')
  mkdirSync(cwd)
  const { WICKED_CACHE_DIR: _, XDG_CACHE_HOME: __, PYTHONPATH: ___, ...inherited } = process.env
  const path = [dirname(python as string), dirname(process.execPath), inherited.PATH].join(delimiter)
  const env = { ...inherited, HOME: home, PATH: path, NODE_OPTIONS: '', PYTHONIOENCODING: 'utf-8' }
  execFileSync(process.execPath, [builtCli, 'setup'], { env, cwd, stdio: 'pipe' })
  return code => execFileSync('bash', ['-e', '-c', `exec 2>&1\n${code}`], { env, cwd, encoding: 'utf8' })
}

describe.skipIf(python === undefined)('a document', () => {
  test('of the original plugin works: three plugins share the cache and are isolated', () => {
    const run = machine()
    const printed = blocksOf('cross-plugin-integration.md').map(({ code }) => run(code))
    expect(printed.length).toBe(7)
    const [, , , isolation = '', statistics = '', summary = '', cleared = ''] = printed
    expect(isolation.match(/: (YES|NO)[^\n]*/g)).toEqual([': YES', ': NO (correct)', ': YES', ': YES'])
    expect(statistics.match(/(?<=Entries: )\d+/g)).toEqual(['1', '1', '1'])
    expect(statistics.match(/(?<=Hits: )\d+/g)).toEqual(['1', '1', '1'])
    expect(statistics.match(/(?<=Misses: )\d+/g)).toEqual(['1', '0', '0'])
    for (const size of statistics.match(/(?<=Size: )\d+/g) ?? []) expect(Number(size)).toBeGreaterThan(100)
    expect(summary).toContain('Total namespaces: 3\nTotal entries: 3\n')
    expect(cleared).toContain('Cleared 1 entries from code-analyzer')
    expect(cleared.match(/intact: \w+/g)).toEqual(['intact: YES', 'intact: YES'])
    expect(printed.join('')).not.toContain('wicked-cache:')
  })

  const own = readdirSync(documents).filter(name => name !== 'cross-plugin-integration.md')

  test.each(own)('%s prints what it shows', name => {
    const run = machine()
    const blocks = blocksOf(name)
    expect(blocks.length).toBeGreaterThan(1)
    for (const { code, expected } of blocks) expect(run(code)).toBe(expected)
  })
})
