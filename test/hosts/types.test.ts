// The adapters match the hosts' own declarations. The published declarations import no host, so they are valid where the host
// isn't installed.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const here = import.meta.dirname

test('this suite, which passes the adapters to the hosts, type-checks', () => {
  const tsc = join(here, '..', '..', 'node_modules', 'typescript', 'bin', 'tsc')
  const run = () => execFileSync(process.execPath, [tsc, '-p', here], { encoding: 'utf8' })
  expect(errorsOf(run)).toBe('')
})

function errorsOf(run: () => string): string {
  try {
    return run()
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

test('the published declarations import no other package', () => {
  const directory = join(here, 'node_modules', 'wicked-cache', 'dist', 'adapters')
  const files = readdirSync(directory).filter(name => /\.d\.c?ts$/.test(name))
  expect(files.length).toBeGreaterThan(6)
  for (const file of files) {
    const text = readFileSync(join(directory, file), 'utf8')
    const named = Array.from(text.matchAll(/(?:from |import\()'([^']+)'/g), ([, name = '']) => name)
    expect(named.filter(name => !/^(\.{1,2}\/|node:)/.test(name))).toEqual([])
  }
})
