// The CI configurations that the guide shows are YAML.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { blocksOf } from '../../test/support/documents.js'

test('every YAML block of the CI guide parses to a configuration', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'ci.md'), 'utf8')
  const blocks = blocksOf('docs/ci.md', page).filter(({ language }) => language === 'yaml')
  expect(blocks.map(({ text }) => Object.keys(parse(text)))).toEqual([
    ['env', 'steps'],
    ['variables', 'lint'],
  ])
})
