import { join, parse, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { childOf } from '../../src/base/child.js'

test.each([resolve('a directory'), parse(process.cwd()).root])(
  'childOf gives the same path as join in %s',
  directory => {
    expect(childOf(directory, 'v2')).toBe(join(directory, 'v2'))
  },
)
