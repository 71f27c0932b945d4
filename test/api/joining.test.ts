// Concurrent calls share a computation if they ask for the same thing.

import { expect, test } from 'vitest'
import { nextTurn } from '../support/caches.js'
import { checkouts } from '../support/projects.js'

test('concurrent calls for different checkouts or texts do not share an error', async () => {
  const { one, two, tree } = checkouts()
  tree.remove('one/src/a.js')
  const ask = (entries: typeof one, name: string) =>
    entries.analyze('text', tree.at(`${name}/src/a.js`), async ctx => {
      await nextTurn()
      return ctx.source
    })
  const [missing, found] = await Promise.allSettled([ask(one, 'one'), ask(two, 'two')])
  expect(missing).toMatchObject({ status: 'rejected', reason: { code: 'ENOENT' } })
  expect(found).toMatchObject({ status: 'fulfilled', value: 'a' })

  const parse = (source: string) =>
    two.analyze('parse', { path: tree.at('two/src/a.js'), source }, async ctx => {
      await nextTurn()
      return JSON.parse(ctx.source)
    })
  const [wrong, right] = await Promise.allSettled([parse('{'), parse('{}')])
  expect([wrong?.status, right?.status]).toEqual(['rejected', 'fulfilled'])
})
