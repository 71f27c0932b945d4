// Two projects in a temporary directory, and the command line in them.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Cache } from '../../src/index.js'
import { cli, filled, temporaryDir } from './harness.js'

/** Two projects, a directory that belongs to none, and a cache. */
export function directories() {
  const root = temporaryDir()
  const [one, two, cache] = ['one', 'two', 'cache'].map(name => join(root, name)) as [string, string, string]
  for (const dir of [one, two]) {
    mkdirSync(join(dir, 'src'), { recursive: true })
    writeFileSync(join(dir, 'package.json'), '{}')
    writeFileSync(join(dir, 'src', 'app.js'), 'content')
  }
  const run = (dir: string, ...args: string[]) => inDirectory(dir, () => cli([...args, '--dir', cache]))
  const fill = (work: (cache: Cache) => void) => filled(cache, work)
  return { root, one, two, cache, run, fill }
}

async function inDirectory<T>(dir: string, work: () => Promise<T>): Promise<T> {
  const before = process.cwd()
  onTestFinished(() => process.chdir(before))
  process.chdir(dir)
  try {
    return await work()
  } finally {
    process.chdir(before)
  }
}

export const json = async (result: Promise<{ out: string }>) => JSON.parse((await result).out)
