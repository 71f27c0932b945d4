// A result computed on one machine is a hit on another, with other directories and inodes.

import { execFileSync, spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { otherKeys, reader, smallSources, Team, writer } from './machines.js'

const FILES = smallSources(300)
const sources = Object.keys(FILES)

test('a machine gets all analyses of another, byte for byte, and computes none', async () => {
  const team = new Team(FILES)
  const url = team.share()
  const a = team.machine({ url, ...writer })
  const analyze = (machine: typeof a) =>
    Promise.all(
      sources.map(file =>
        machine.entries.analyze('outline', machine.at(file), ctx => ({ text: ctx.source, at: ctx.source.length }), {
          onResult: machine.onResult,
        }),
      ),
    )
  const computed = await analyze(a)
  expect(a.computedCount).toBe(sources.length)
  await a.opened.cache.close()

  const b = team.machine({ url, ...reader })
  expect(await analyze(b)).toEqual(computed)
  expect(b.computedCount).toBe(0)
  expect(b.remote.stats()).toMatchObject({ hits: sources.length, misses: 0, errors: 0, rejected: {} })
  const digestsOf = (machine: typeof a) =>
    Array.from(machine.entries.entries(), ({ key, digest }) => [key, digest]).sort()
  const c = a.again(undefined)
  expect(digestsOf(b)).toEqual(digestsOf(c))
  await b.opened.cache.close()

  // They are stored as if they had been computed there.
  const later = b.again(undefined)
  expect(await analyze(later)).toEqual(computed)
  expect(later.computedCount).toBe(0)
  expect([...a.opened.warnings, ...b.opened.warnings]).toEqual([])
})

test('a file that differs on this machine is analyzed again', async () => {
  const team = new Team({ 'a.js': 'one', 'b.js': 'two' })
  const url = team.share()
  const a = team.machine({ url, ...writer })
  const read = (machine: typeof a, file: string) =>
    machine.entries.analyze('text', machine.at(file), ctx => ctx.source, { onResult: machine.onResult })
  await read(a, 'a.js')
  await read(a, 'b.js')
  await a.opened.cache.close()
  const b = team.machine({ url, ...reader })
  b.write({ 'b.js': 'another' })
  expect([await read(b, 'a.js'), await read(b, 'b.js')]).toEqual(['one', 'another'])
  expect(b.results.map(({ isHit }) => isHit)).toEqual([true, false])
})

test('other inputs of a result are checked on this machine, and select the result for their state', async () => {
  const team = new Team({ 'a.js': 'code', config: 'strict' })
  const url = team.share()
  const lint = (machine: ReturnType<typeof team.machine>) =>
    machine.entries.analyze(
      'lint',
      machine.at('a.js'),
      ctx => `${ctx.source} ${ctx.readFile(machine.at('config'))} ${ctx.exists(machine.at('extra'))}`,
      { onResult: machine.onResult },
    )
  const a = team.machine({ url, ...writer })
  expect(await lint(a)).toBe('code strict false')
  a.write({ config: 'loose' })
  expect(await lint(a)).toBe('code loose false')
  await a.opened.cache.close()

  // The first one has the state that was stored before the latest one.
  for (const [config, hits] of [
    ['strict', 1],
    ['loose', 1],
    ['unseen', 0],
  ] as const) {
    const b = team.machine({ url, ...reader })
    b.write({ config })
    expect(await lint(b)).toBe(`code ${config} false`)
    expect({ config, hits: b.results.filter(({ isHit }) => isHit).length }).toEqual({ config, hits })
  }
  const c = team.machine({ url, ...reader })
  c.write({ extra: '' })
  expect(await lint(c)).toBe('code strict true')
})

test('getOrSet and wrap share results of portable namespaces only', async () => {
  const team = new Team({ config: '1', 'src/a.js': 'a' })
  const url = team.share()
  const ask = async (machine: ReturnType<typeof team.machine>) => {
    const { entries, onResult } = machine
    const got = await entries.getOrSet('config', ctx => ctx.readFile(machine.at('config')), { onResult })
    const wrapped = entries.wrap('twice', (text: string) => text + text, { files: [machine.at('src/a.js')], onResult })
    return [got, await wrapped('x')]
  }
  for (const portable of [true, false]) {
    const a = team.machine({ url, ...writer }, { portable, version: String(portable) })
    expect(await ask(a)).toEqual(['1', 'xx'])
    await a.opened.cache.close()
    const b = team.machine({ url, ...reader }, { portable, version: String(portable) })
    expect(await ask(b)).toEqual(['1', 'xx'])
    expect({ portable, computed: b.computedCount }).toEqual({ portable, computed: portable ? 0 : 2 })
  }
})

test('results bound to a checkout are not shared', async () => {
  const team = new Team({ 'a.js': 'a' })
  const url = team.share()
  const ask = async (machine: ReturnType<typeof team.machine>) => {
    const { entries, onResult } = machine
    const file = machine.at('a.js')
    const paths = [
      await entries.analyze('path', file, ctx => ctx.path, { onResult }),
      await entries.analyze('leak', file, () => ({ file }), { onResult }),
      await entries.getOrSet('no file', () => 1, { onResult }),
    ]
    return paths
  }
  const a = team.machine({ url, ...writer })
  await ask(a)
  await a.opened.cache.close()
  const b = team.machine({ url, ...reader })
  expect(await ask(b)).toEqual([b.at('a.js'), { file: b.at('a.js') }, 1])
  expect(b.computedCount).toBe(3)
})

test('an analysis with anywhere is shared and stored', async () => {
  const team = new Team({ 'a.js': 'the same' })
  const url = team.share()
  const size = (machine: ReturnType<typeof team.machine>, file: string) =>
    machine.entries.analyze('size', machine.at(file), ctx => ctx.bytes.length, {
      anywhere: true,
      onResult: machine.onResult,
    })
  const a = team.machine({ url, ...writer })
  expect(await size(a, 'a.js')).toBe(8)
  await a.opened.cache.close()
  const b = team.machine({ url, ...reader })
  b.write({ 'vendor/copy.js': 'the same' })
  expect(await size(b, 'vendor/copy.js')).toBe(8)
  expect(await size(b, 'a.js')).toBe(8)
  expect(b.computedCount).toBe(0)
  expect(b.remote.stats()).toMatchObject({ hits: 1 })
  expect(b.opened.warnings).toEqual([])
})

test('nested analyses are shared with the inputs of their inner calls', async () => {
  const team = new Team({ 'a.js': 'a', 'b.js': 'b' })
  const url = team.share()
  const sum = (machine: ReturnType<typeof team.machine>) => {
    const { entries, onResult } = machine
    const sizeOf = (file: string) => entries.analyze('size', machine.at(file), ctx => ctx.source, { onResult })
    return entries.getOrSet('sum', async () => (await Promise.all(['a.js', 'b.js'].map(sizeOf))).join('+'), {
      onResult,
    })
  }
  const a = team.machine({ url, ...writer })
  expect(await sum(a)).toBe('a+b')
  await a.opened.cache.close()
  const b = team.machine({ url, ...reader })
  expect(await sum(b)).toBe('a+b')
  expect(b.results).toHaveLength(1)
  b.write({ 'b.js': 'changed' })
  expect(await sum(b)).toBe('a+changed')
  const c = team.machine({ url, ...reader })
  c.write({ 'a.js': 'mine' })
  expect(await sum(c)).toBe('mine+b')
  // The sum and its first part; the other part is that of the first machine.
  expect(c.computedCount).toBe(2)
})

test('a key that was deleted or invalidated on this machine is computed again', async () => {
  const team = new Team({ config: '1' })
  const url = team.share()
  const ask = (machine: ReturnType<typeof team.machine>) =>
    machine.entries.getOrSet('config', ctx => ctx.readFile(machine.at('config')), { onResult: machine.onResult })
  const a = team.machine({ url, ...writer })
  await ask(a)
  await a.opened.cache.close()
  const b = team.machine({ url, ...reader })
  await ask(b)
  for (const remove of ['delete', 'invalidate'] as const) {
    b.entries[remove]('config')
    await ask(b)
  }
  expect(b.results.map(({ isHit }) => isHit)).toEqual([true, false, false])

  // Also when it wasn't there, and for an earlier state, as it is without the other machine.
  for (const [isThere, isList] of [
    [true, false],
    [false, false],
    [true, true],
    [false, true],
  ]) {
    const c = team.machine({ url, ...reader })
    if (isThere) await ask(c)
    if (isList) c.entries.deleteMany(['config'])
    else c.entries.invalidate('config')
    c.write({ config: '2' })
    await ask(c)
    c.write({ config: '1' })
    await ask(c)
    expect(c.results.map(({ isHit }) => isHit)).toEqual([...(isThere ? [true] : []), false, false])
  }
})

test('results expire at the same time on every machine', async () => {
  const team = new Team({ config: '1' })
  const url = team.share()
  const ask = (machine: ReturnType<typeof team.machine>, ttl: number | string) =>
    machine.entries.getOrSet('config', ctx => ctx.readFile(machine.at('config')), { onResult: machine.onResult, ttl })
  const a = team.machine({ url, ...writer })
  await ask(a, '1h')
  await a.opened.cache.close()
  const b = team.machine({ url, ...reader })
  await new Promise(resolve => setTimeout(resolve, 5))
  await ask(b, 1)
  await ask(b, '2h')
  expect(b.results.map(({ isHit }) => isHit)).toEqual([false, true])
  const [entry] = b.entries.find('config')
  expect(entry?.expiresAt).toBeLessThanOrEqual(Date.now() + 3_600_000)
})

test('different keys, scopes and epochs share nothing', async () => {
  const team = new Team({ 'a.js': 'a' })
  const url = team.share()
  const ask = (machine: ReturnType<typeof team.machine>) =>
    machine.entries.analyze('text', machine.at('a.js'), ctx => ctx.source, { onResult: machine.onResult })
  const a = team.machine({ url, ...writer })
  await ask(a)
  await a.opened.cache.close()
  const outcomes = [
    reader,
    { ...reader, scope: 'x' },
    { ...reader, epoch: '2' },
    { ...reader, keys: [otherKeys.publicKey] },
  ]
  const computed = []
  for (const remote of outcomes) {
    const b = team.machine({ url, ...remote })
    await ask(b)
    computed.push(b.computedCount)
    if (remote.keys[0] === otherKeys.publicKey) expect(b.remote.stats().rejected).toEqual({ 'unknown-key': 1 })
  }
  expect(computed).toEqual([0, 1, 1, 1])
})

test('a reader uploads nothing, and synchronous calls send no requests', async () => {
  const team = new Team({ 'a.js': 'a' })
  const url = team.share()
  const unsigned = team.machine({ url, keys: reader.keys, mode: 'readwrite' })
  await unsigned.entries.analyze('text', unsigned.at('a.js'), ctx => ctx.source)
  await unsigned.opened.cache.close()
  const a = team.machine({ url, ...writer })
  a.entries.analyzeSync('text', a.at('a.js'), ctx => ctx.source, { onResult: a.onResult })
  expect(a.remote.stats()).toMatchObject({ hits: 0, misses: 0 })
  await a.opened.cache.close()
  // What was computed synchronously is shared all the same.
  const b = team.machine({ url, ...reader })
  await b.entries.analyze('text', b.at('a.js'), ctx => ctx.source, { onResult: b.onResult })
  expect(b.computedCount).toBe(0)
})

test('a result that was voided during its computation is not shared', async () => {
  const team = new Team({ config: '1' })
  const url = team.share()
  const a = team.machine({ url, ...writer })
  let computing = 0
  const ask = (machine: typeof a, meanwhile: () => void) =>
    machine.entries.getOrSet('config', async ctx => {
      computing++
      const text = ctx.readFile(machine.at('config'))
      meanwhile()
      return text
    })
  await ask(a, () => a.entries.invalidate('config'))
  await a.opened.cache.close()
  const b = team.machine({ url, ...reader })
  await ask(b, () => undefined)
  expect(computing).toBe(2)
})

test.skipIf(process.platform === 'win32')('a pipe is read once, by the computation', async () => {
  const team = new Team({})
  const a = team.machine({ url: team.share(), ...writer })
  const pipe = a.at('pipe')
  execFileSync('mkfifo', [pipe])
  const ended = new Promise(resolve => spawn('sh', ['-c', 'printf once > "$1"', 'sh', pipe]).on('exit', resolve))
  expect(await a.entries.analyze('text', pipe, ctx => ctx.source)).toBe('once')
  await ended
  expect(a.remote.stats()).toMatchObject({ misses: 0 })
})
