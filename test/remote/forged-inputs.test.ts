// Well-formed results with inputs that no honest machine would send. They are rejected, nothing outside the checkout is read,
// and nothing throws.

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
  ['an absolute path declared as relative', [subject, inputOf('missing', '/nowhere/at/all', true)]],
  ['a drive', [subject, inputOf('missing', 'c:/nowhere', true)]],
  ['a NUL', [subject, inputOf('missing', 'a\0b', true)]],
  ['an empty path', [subject, inputOf('missing', '', true)]],
  ['a list', [subject, inputOf('list', 'ab'.repeat(16))]],
  ['this checkout', [subject, inputOf('checkout', '/somewhere')]],
  ['another home', [subject, inputOf('home', '/somewhere')]],
  ['an existing entry', [subject, { ...entry({}), digest: digestOf('x') }]],
  ['an entry whose namespace is a path', [subject, entry({ namespace: '../../..' })]],
  ['an entry with a too long version', [subject, entry({ version: 'v'.repeat(300) })]],
  ['an entry of another project', [subject, entry({ project: '/somewhere' })]],
  ['an entry without a key', [subject, entry({ key: '' })]],
  ['an entry that is not JSON', [subject, inputOf('entry', '{', false, NO_DIGEST)]],
  ['an entry that is not a list', [subject, inputOf('entry', '7', false, NO_DIGEST)]],
  ['a glob that is not JSON', [subject, inputOf('glob', 'src', true, NO_DIGEST, 'x')]],
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

test.each(FORGED)('a result with forged inputs is rejected: %s', async (_, inputs) => {
  const adapter = storeOf('forged', inputs)
  const team = new Team({ 'a.js': 'a' })
  const machine = team.machine({ adapter, ...reader, trust: 'store' })
  team.tree.write({ outside: 'outside', [`${machine.name}/outside`]: 'outside' })
  expect(await machine.entries.analyze('text', machine.at('a.js'), ctx => ctx.source)).toBe('a')
  expect(machine.opened.warnings).toEqual([])
  expect(machine.remote.stats().hits).toBe(0)
})

test('the same result with honest inputs is accepted', async () => {
  const adapter = storeOf('from elsewhere', [subject, inputOf('missing', 'src/none.js', true), entry({})])
  const machine = new Team({ 'a.js': 'a' }).machine({ adapter, ...reader, trust: 'store' })
  expect(await machine.entries.analyze('text', machine.at('a.js'), ctx => ctx.source)).toBe('from elsewhere')
})
