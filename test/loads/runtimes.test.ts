// On runtimes other than Node.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newProject, removeDirectories, run, tool } from './support.js'

let directory: string
beforeAll(() => {
  directory = newProject()
})
afterAll(removeDirectories)

test.each(['main.mjs', 'main.cjs'])('Bun runs %s', async file => {
  expect(await run(tool('.bin', 'bun'), [file], directory)).toBe('all is well\n')
})

describe('Deno', () => {
  const deno = (permissions: readonly string[], file: string) => {
    const args = ['run', '--quiet', '--no-prompt', '--node-modules-dir=manual', ...permissions, file]
    return run(tool('@deno', 'linux-x64-glibc', 'deno'), args, directory, {
      DENO_DIR: join(directory, '.deno'),
      DENO_NO_UPDATE_CHECK: '1',
    })
  }

  test.each(['main.mjs', 'main.cjs'])('runs %s with all permissions', async file => {
    expect(await deno(['--allow-all'], file)).toBe('all is well\n')
  })

  const LITTLE = `
    import { openCacheSync } from 'wicked-cache'
    const warnings = []
    const dir = import.meta.dirname + '/little'
    const entries = openCacheSync({ dir, onWarning: ({ code }) => warnings.push(code) }).namespace('little')
    const isStored = entries.set('key', { a: 1 })
    console.log(isStored, entries.get('key')?.a, entries.getOrSetSync('other', () => 2), warnings.join())`
  const permissions = () => [`--allow-read=${directory}`, `--allow-write=${join(directory, 'little')}`, '--allow-env']
  beforeAll(() => writeFileSync(join(directory, 'little.mjs'), LITTLE))

  test('needs permissions for the directory, the environment, and uid, gid and hostname', async () => {
    const sys = '--allow-sys=uid,gid,hostname'
    expect(await deno([...permissions(), sys], 'little.mjs')).toBe('true 1 2 \n')
  })

  test('opens with a warning without permission for uid, gid and hostname', async () => {
    // A root of the superuser's can be trusted by all.
    const expected = process.getuid?.() === 0 ? 'true 1 2 ' : 'false undefined 2 ERR_CACHE_ROOT'
    expect(await deno(permissions(), 'little.mjs')).toBe(`${expected}\n`)
  })
})
