// A process that hears of a set from the process that made it must find it, in whatever phase of the event loop its last lookup
// was: it is in a later tick now, however it was woken.

import { describe, expect, test } from 'vitest'
import { temporaryRoot } from '../support/caches.js'
import { startModule } from '../support/children.js'

const SETTER = `
  const entries = library.openCacheSync({ dir: args.dir }).namespace('tool')
  for await (const line of { [Symbol.asyncIterator]: lines }) {
    const [what, value] = JSON.parse(line)
    if (what === 'set') entries.set('key', value)
    if (what === 'delete') entries.delete('key')
    if (what === 'clear') entries.clear()
    print('done')
  }
`

/** Looks at the key in one phase of the event loop, then answers each line with what it finds. */
const READER = `
  const entries = library.openCacheSync({ dir: args.dir }).namespace('tool')
  entries.set('own', 1)
  const phases = {
    main: look => look(),
    microtask: look => Promise.resolve().then(look),
    tick: look => process.nextTick(look),
    timer: look => setTimeout(look, 1),
    immediate: look => setImmediate(look),
    'immediate of an immediate': look => setImmediate(() => setImmediate(look)),
    io: look => import('node:fs').then(({ stat }) => stat('.', look)),
  }
  process.stdin.on('data', data => {
    for (const line of data.toString().trim().split('\\n')) {
      if (line === 'get') print(JSON.stringify(entries.get('key') ?? null))
      else phases[line](() => print(JSON.stringify(entries.get('key') ?? null)))
    }
  })
  phases[args.first](() => print(JSON.stringify(entries.get('key') ?? null)))
`

const PHASES = ['main', 'microtask', 'tick', 'timer', 'immediate', 'immediate of an immediate', 'io']

describe('a set, delete or clear of one process', () => {
  test.each(PHASES)('is seen by another in its next tick after a lookup in: %s', async first => {
    const dir = temporaryRoot()
    const setter = startModule(SETTER, { dir })
    const reader = startModule(READER, { dir, first })
    expect(await reader.line()).toBe('null')
    const change = async (what: string, value?: unknown) => {
      setter.send(JSON.stringify([what, value]))
      expect(await setter.line()).toBe('done')
    }
    const answer = async (line: string) => {
      reader.send(line)
      return JSON.parse((await reader.line()) as string)
    }
    await change('set', 1)
    expect(await answer('get')).toBe(1)
    for (const phase of PHASES) {
      for (const [what, value] of [
        ['set', `in ${phase}`],
        ['delete', null],
        ['set', 2],
        ['clear', null],
        ['set', 3],
      ] as const) {
        await answer(phase)
        await change(what, value)
        expect(await answer('get'), `${what} after a look in ${phase}`).toBe(value)
      }
    }
    setter.end()
    reader.end()
    for (const child of [setter, reader]) expect(await child.ended).toMatchObject({ code: 0, stderr: '' })
  })

  test('is seen across splits of the files by either process', async () => {
    const dir = temporaryRoot()
    const code = `
      const entries = library.openCacheSync({ dir: args.dir }).namespace('tool')
      const keyOf = (name, i) => name + ' ' + i + 'k'.repeat(1000)
      for await (const line of { [Symbol.asyncIterator]: lines }) {
        const n = Number(line)
        for (let i = n * 40; i < n * 40 + 40; i++) {
          entries.set(keyOf(args.name, i), i)
          if (n > 0 && entries.get(keyOf(args.other, i - 40)) !== i - 40) throw new Error('not seen: ' + (i - 40))
        }
        print('done')
      }`
    const a = startModule(code, { dir, name: 'a', other: 'b' })
    const b = startModule(code, { dir, name: 'b', other: 'a' })
    for (let n = 0; n < 40; n++) {
      for (const child of [a, b]) {
        child.send(`${n}`)
        expect(await child.line(), `round ${n}`).toBe('done')
      }
    }
    for (const child of [a, b]) child.end()
    for (const child of [a, b]) expect(await child.ended).toMatchObject({ code: 0, stderr: '' })
  })
})
