// Writers are killed at random moments. What they had acknowledged over a pipe is in the store, which works at once.

import { expect, test } from 'vitest'
import { openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { startModule } from '../support/children.js'
import { randomFrom } from '../support/random.js'
import { counting, inRounds } from '../support/torture.js'

const count = counting()

// Every value tells its key, so that a foreign one would show; now and then a long one, which takes longer to write.
const WRITER = `
  const entries = library.openCacheSync({ dir: args.dir, onWarning }).namespace('tool')
  const valueOf = (key, i) => ({ key, i, text: 'x'.repeat(i % 13 === 0 ? 200_000 : i % 5 === 0 ? 5000 : 50) })
  for (let i = 0; ; i++) {
    const key = 'a rather long key, so that files fill up and split ' + 'k'.repeat(700) + args.name + ' ' + i
    if (!entries.set(key, valueOf(key, i))) throw new Error('not stored: ' + i)
    if (!entries.set('latest ' + args.name, { key: 'latest ' + args.name, i })) throw new Error('not stored: latest')
    print(String(i))
    if (i % 50 === 0) await new Promise(resolve => setImmediate(resolve))
  }
`
const keyOf = (name: string, i: number) =>
  `a rather long key, so that files fill up and split ${'k'.repeat(700)}${name} ${i}`

test('sets that returned before a process was killed are found by the next process', async () => {
  await inRounds({ short: 1, share: 0.06 }, killAndLook)
})

async function killAndLook(seed: number): Promise<void> {
  const random = randomFrom(seed)
  const dir = temporaryRoot()
  const acknowledged = new Map<string, number>()
  for (let round = 0; round < 6; round++) {
    const names = Array.from({ length: 4 }, (_, at) => `writer ${round}.${at}`)
    await Promise.all(
      names.map(async name => {
        const child = startModule(WRITER, { dir, name })
        const limit = random(150)
        for (let lines = 0; lines <= limit; lines++) if ((await child.line()) === undefined) break
        child.process.kill('SIGKILL')
        count('killed processes')
        const { signal, stderr, lines } = await child.ended
        expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' })
        acknowledged.set(name, Number(lines.at(-1)))
      }),
    )
    const { cache, warnings } = openAsAnotherProcess(dir)
    const entries = cache.namespace('tool')
    for (const [name, last] of acknowledged) {
      for (let i = 0; i <= last; i++) {
        const key = keyOf(name, i)
        const value = entries.get<{ key: string; i: number; text: string }>(key)
        if (value?.key !== key || value.i !== i) throw new Error(`${name}: ${i} of ${last} is lost or wrong`)
        expect(value.text.length).toBe(i % 13 === 0 ? 200_000 : i % 5 === 0 ? 5000 : 50)
      }
      const latest = entries.get<{ key: string; i: number }>(`latest ${name}`)
      expect(latest?.key).toBe(`latest ${name}`)
      expect(latest?.i).toBeGreaterThanOrEqual(last)
    }
    // What was not acknowledged may be there or not, but then as a whole.
    for (const key of entries.keys()) expect(entries.get<{ key: string }>(key)?.key).toBe(key)
    expect(entries.set(`after round ${round}`, { key: `after round ${round}` })).toBe(true)
    cache.close()
    expect(openAsAnotherProcess(dir).cache.namespace('tool').get(`after round ${round}`)).toBeDefined()
    expect(warnings).toEqual([])
  }
  expect(Math.min(...acknowledged.values())).toBeGreaterThanOrEqual(0)
}

test('processes work as usual while others are killed', async () => {
  await inRounds({ short: 1, share: 0.06 }, killBeside)
})

async function killBeside(seed: number): Promise<void> {
  const random = randomFrom(seed)
  const dir = temporaryRoot()
  const running = openAsAnotherProcess(dir)
  const entries = running.cache.namespace('tool')
  let own = 0
  for (let round = 0; round < 8; round++) {
    const child = startModule(WRITER, { dir, name: `victim ${round}` })
    const limit = random(60)
    for (let lines = 0; lines <= limit; lines++) {
      await child.line()
      expect(entries.set(`own ${own}`, { own })).toBe(true)
      expect(entries.get(`own ${own}`)).toEqual({ own })
      own++
    }
    child.process.kill('SIGKILL')
    count('killed processes')
    const { lines } = await child.ended
    for (const line of lines)
      expect(entries.get(keyOf(`victim ${round}`, Number(line)))).toMatchObject({ i: Number(line) })
  }
  for (let i = 0; i < own; i++) expect(entries.get(`own ${i}`)).toEqual({ own: i })
  expect(running.warnings).toEqual([])
}
