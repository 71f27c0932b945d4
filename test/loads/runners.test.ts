// In test runners and TypeScript runners, each with the first configuration of its manual.

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NODE, newProject, removeDirectories, run, tool } from './support.js'

let directory: string
beforeAll(() => {
  directory = newProject()
})
afterAll(removeDirectories)

describe('Jest', () => {
  const jest = (config: object, flags: string[], env: NodeJS.ProcessEnv = {}) => {
    writeFileSync(join(directory, 'jest.config.json'), JSON.stringify({ testEnvironment: 'node', ...config }))
    const args = [
      ...flags,
      tool('jest', 'bin', 'jest.js'),
      '--ci',
      '--testTimeout',
      '60000',
      '--runInBand',
      '--rootDir',
      directory,
    ]
    return run(NODE, [...args, '--config', join(directory, 'jest.config.json')], directory, env)
  }

  test('works with CommonJS', async () => {
    const config = { testMatch: ['**/plugin.test.cjs'], moduleFileExtensions: ['js', 'cjs', 'json'] }
    expect(await jest(config, [], { HEARS_LATE: 'yes' })).toContain('1 passed')
  })

  test('works with CommonJS and --experimental-vm-modules', async () => {
    const config = { testMatch: ['**/plugin.test.cjs'], moduleFileExtensions: ['js', 'cjs', 'json'] }
    expect(await jest(config, ['--experimental-vm-modules'])).toContain('1 passed')
  })

  test('works with ES modules', async () => {
    const config = {
      testMatch: ['**/plugin.test.mjs'],
      moduleFileExtensions: ['js', 'cjs', 'mjs', 'json'],
      transform: {},
    }
    expect(await jest(config, ['--experimental-vm-modules'])).toContain('1 passed')
  })

  test('works with ts-jest', async () => {
    const tsconfig = {
      module: 'nodenext',
      target: 'es2022',
      strict: true,
      esModuleInterop: true,
      types: [],
      isolatedModules: true,
    }
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions: tsconfig }))
    const config = {
      testMatch: ['**/plugin.test.ts'],
      moduleFileExtensions: ['ts', 'js', 'cjs', 'json'],
      transform: { '^.+\\.ts$': [tool('ts-jest'), { tsconfig: join(directory, 'tsconfig.json') }] },
    }
    try {
      expect(await jest(config, [], { HEARS_LATE: 'yes' })).toContain('1 passed')
    } finally {
      rmSync(join(directory, 'tsconfig.json'))
    }
  })
})

describe('vitest', () => {
  test.each(['threads', 'forks', 'vmThreads', 'vmForks'])('works in the pool %s', async pool => {
    const config = { test: { globals: true, pool, include: ['plugin.test.{mjs,ts,cjs}'] } }
    writeFileSync(join(directory, 'vitest.config.mjs'), `export default ${JSON.stringify(config)}\n`)
    const args = [tool('vitest', 'vitest.mjs'), 'run', '--root', directory, '--no-color']
    expect(await run(NODE, args, directory)).toMatch(/Tests +3 passed/)
  })
})

test.each(['main.mjs', 'main.cjs', 'main.ts'])('tsx runs %s', async file => {
  if (file === 'main.ts') {
    writeFileSync(
      join(directory, file),
      `import fs from 'node:fs'
       import library, { type Cache, openCacheSync } from 'wicked-cache'
       import exercise from './exercise.cjs'
       const cache: Cache = openCacheSync({ dir: \`\${process.env.CACHE_DIR}-own\` })
       cache.close()
       exercise(library, { dir: process.env.CACHE_DIR, fs }).then(console.log)`,
    )
  }
  expect(await run(NODE, [tool('tsx', 'dist', 'cli.mjs'), file], directory)).toBe('all is well\n')
})
