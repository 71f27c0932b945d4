// `createTransformer` around the real babel-jest, in Jest without Jest's own cache.

import { readFileSync } from 'node:fs'
import { transformSync } from '@babel/core'
import { expect, test } from 'vitest'
import { createTransformer, type Transformed, type Transformer } from 'wicked-cache/jest'
import { newNamespace, Project } from './support.js'

const PLUGIN = `
module.exports = () => ({
  visitor: {
    Program() { require('node:fs').appendFileSync(require('node:path').join(__dirname, 'transformed'), '.') },
  },
})`
const TEST = `
import { sum } from './sum.js'
jest.mock('./mocked.js', () => ({ value: 41 }))
import { value } from './mocked.js'
test('mocks are hoisted', () => expect(sum(value, 1)).toBe(42))`
const configTo = (targets: string) =>
  JSON.stringify({ presets: [['@babel/preset-env', { targets }]], plugins: ['./plugin.cjs'] })

function newProject(transform: unknown): Project {
  return new Project({
    'jest.config.json': JSON.stringify({ testEnvironment: 'node', transform: { '\\.js$': transform } }),
    'transformer.cjs': `module.exports = require('wicked-cache/jest').createTransformer(require('babel-jest').createTransformer())`,
    'plugin.cjs': PLUGIN,
    'babel.config.json': configTo('node 20'),
    'src/sum.js': 'export const sum = (a, b) => a + b\n',
    'src/mocked.js': 'export const value = 0\n',
    'src/sum.test.js': TEST,
    transformed: '',
  })
}

const jest = (project: Project, ...args: string[]) =>
  project.node(['node_modules/jest/bin/jest.js', '--no-cache', '--config', 'jest.config.json', ...args])
const transformedCount = (project: Project) => readFileSync(project.at('transformed'), 'utf8').length

test.each([
  ['by its name', ['wicked-cache/jest', { transformer: 'babel-jest' }]],
  ['in a file', '<rootDir>/transformer.cjs'],
])('transforms nothing in the second run, configured %s', async (_, transform) => {
  const project = newProject(transform)
  expect(await jest(project)).toContain('1 passed')
  const first = transformedCount(project)
  expect(first).toBeGreaterThan(1)
  expect(await jest(project)).toContain('1 passed')
  expect(transformedCount(project)).toBe(first)

  project.write({ 'src/sum.js': 'export const sum = (a, b) => b + a\n' })
  expect(await jest(project)).toContain('1 passed')
  expect(transformedCount(project)).toBe(first + 1)

  project.write({ 'babel.config.json': configTo('node 22') })
  expect(await jest(project)).toContain('1 passed')
  expect(transformedCount(project)).toBe(2 * first + 1)
})

test('instruments for coverage though results without instrumentation are stored', async () => {
  const project = newProject(['wicked-cache/jest', { transformer: 'babel-jest' }])
  await jest(project)
  const counts = [transformedCount(project)]
  for (let count = 1; count <= 2; count++) {
    expect(await jest(project, '--coverage')).toMatch(/sum\.js +\| +100/)
    counts.push(transformedCount(project))
  }
  expect(counts[1]).toBeGreaterThan(counts[0] ?? 0)
  expect(counts[2]).toBe(counts[1])
})

test('a transformer without a cache key depends on everything that Jest passes to it', async () => {
  let count = 0
  const inner: Transformer = {
    process: (source, _, { transformerConfig }) => ({
      code: `${++count} ${source} ${JSON.stringify(transformerConfig)}`,
    }),
    processAsync: async source => ({ code: `${++count} ${source} async` }),
  }
  const transformer = createTransformer(inner, newNamespace('jest'))
  const options = (transformerConfig: unknown, instrument = false) => ({
    configString: '{}',
    instrument,
    transformerConfig,
  })
  const codeOf = (source: string, given: object) => transformer.process?.(source, '/p/a.js', given).code
  expect([codeOf('x', options(1)), codeOf('x', options(1))]).toEqual(['1 x 1', '1 x 1'])
  expect([codeOf('y', options(1)), codeOf('x', options(2)), codeOf('x', options(1, true))]).toEqual([
    '2 y 1',
    '3 x 2',
    '4 x 1',
  ])
  expect((await transformer.processAsync?.('x', '/p/a.js', options(1)))?.code).toBe('5 x async')
  expect((await transformer.processAsync?.('x', '/p/a.js', options(1)))?.code).toBe('5 x async')
})

test('a result of Babel is stored despite its unstorable fields', () => {
  let count = 0
  const process = (source: string) => {
    count++
    return transformSync(source, {
      configFile: false,
      plugins: [() => ({ visitor: {} })],
      sourceMaps: true,
    }) as Transformed
  }
  const transformer = createTransformer({ process }, newNamespace('jest'))
  const results = [1, 2].map(() => transformer.process?.('let a', '/p/a.js', { configString: '{}', instrument: false }))
  expect(results[0]).toMatchObject({ code: 'let a;', map: { sources: [expect.anything()] } })
  expect([results[1], count]).toEqual([results[0], 1])
})

test('a transformer that is not installed is an error', () => {
  expect(() => createTransformer({ transformer: 'not-there' })).toThrow("can't be loaded")
})
