// Well-formed answers whose inputs are none that an honest machine would send: none of them is taken, none is looked for outside
// the checkout, and nothing throws.

import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { RemoteAdapter } from '../../src/index.js'
import { entryName } from '../../src/inputs/entry-name.js'
import { type Input, inputOf, NO_DIGEST } from '../../src/inputs/input.js'
import { type Answered, seal } from '../../src/remote/envelope.js'
import { reader, Team } from './machines.js'

const digestOf = (text: string) => createHash('sha256').update(text).digest().subarray(0, 16)
const subject = inputOf('file', '', false, digestOf('a'))
const entry = (name: object) =>
  inputOf('entry', entryName({ namespace: 'tool', version: '', scope: 'project', project: '', key: 'k', ...name }))

const FORGED: [string, Input[]][] = [
  ['none', []],
  ['another content', [inputOf('file', '', false, digestOf('b'))]],
  ['a file outside the checkout', [subject, inputOf('file', '../../../outside', true, digestOf('outside'))]],
  ['a missing file outside', [subject, inputOf('missing', '../../../../../../../../nowhere', true)]],
  ['an absolute path', [subject, inputOf('missing', '/nowhere/at/all', false)]],
  ['an absolute path that is said to be relative', [subject, inputOf('missing', '/nowhere/at/all', true)]],
  ['a drive', [subject, inputOf('missing', 'c:/nowhere', true)]],
  ['a NUL', [subject, inputOf('missing', 'a\0b', true)]],
  ['an empty path', [subject, inputOf('missing', '', true)]],
  ['a list', [subject, inputOf('list', 'ab'.repeat(16))]],
  ['this checkout', [subject, inputOf('checkout', '/somewhere')]],
  ['another home', [subject, inputOf('home', '/somewhere')]],
  ['an entry that is there', [subject, { ...entry({}), digest: digestOf('x') }]],
  ['an entry of a namespace that is a path', [subject, entry({ namespace: '../../..' })]],
  ['an entry of a version that is too long', [subject, entry({ version: 'v'.repeat(300) })]],
  ['an entry of another project', [subject, entry({ project: '/somewhere' })]],
  ['an entry without a key', [subject, entry({ key: '' })]],
  ['an entry that is no JSON', [subject, inputOf('entry', '{', false, NO_DIGEST)]],
  ['an entry that is no list', [subject, inputOf('entry', '7', false, NO_DIGEST)]],
  ['a glob that is no JSON', [subject, inputOf('glob', 'src', true, NO_DIGEST, 'x')]],
  ['too many', [subject, ...Array.from({ length: 10_001 }, (_, at) => inputOf('missing', `n${at}`, true))]],
]

/** A store that has this answer under any name. */
function storeOf(value: string, inputs: Input[]): RemoteAdapter {
  const answered: Answered = {
    bytes: Buffer.from(`\u0001${JSON.stringify(value)}`),
    inputs,
    createdAt: Date.now(),
    ttlMs: Number.POSITIVE_INFINITY,
    computeMs: 1,
  }
  return {
    getMany: async names => names.map(name => seal(name, answered, undefined)),
    put: async () => undefined,
    close: () => undefined,
  }
}

test.each(FORGED)('inputs that are forged are not taken: %s', async (_, inputs) => {
  const adapter = storeOf('forged', inputs)
  const team = new Team({ 'a.js': 'a' })
  const machine = team.machine({ adapter, ...reader, trust: 'store' })
  team.tree.write({ outside: 'outside', [`${machine.name}/outside`]: 'outside' })
  expect(await machine.entries.analyze('text', machine.at('a.js'), ctx => ctx.source)).toBe('a')
  expect(machine.opened.warnings).toEqual([])
  expect(machine.remote.stats().hits).toBe(0)
})

test('the same answer with an honest input is taken, so that the others are refused for theirs', async () => {
  const adapter = storeOf('from elsewhere', [subject, inputOf('missing', 'src/none.js', true), entry({})])
  const machine = new Team({ 'a.js': 'a' }).machine({ adapter, ...reader, trust: 'store' })
  expect(await machine.entries.analyze('text', machine.at('a.js'), ctx => ctx.source)).toBe('from elsewhere')
})
