// `explain` for analyses and calls of wrapped functions.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Namespace } from '../../src/index.js'
import { directories, json } from './projects.js'

describe('explain', () => {
  const analyzed = async (analyze: (namespace: Namespace, file: string) => void, version = '1') => {
    const all = directories()
    const file = join(all.one, 'src', 'app.js')
    const again = () => all.fill(cache => analyze(cache.namespace('ns', { version, project: all.one }), file))
    await again()
    return { ...all, file, again }
  }

  test('finds an analysis by name and file, relative, absolute or as list shows it', async () => {
    const { one, run, file } = await analyzed((namespace, path) => namespace.analyzeSync('imports', path, () => []))
    for (const args of [['imports', 'src/app.js'], ['imports', file], ['imports src/app.js']]) {
      const { code, out } = await run(one, 'explain', 'ns', ...args)
      expect([code, out.split('\n')[0]]).toEqual([0, 'Hit: imports src/app.js in ns'])
    }
    expect((await run(join(one, 'src'), 'explain', 'ns', 'imports', 'app.js')).code).toBe(0)
    expect((await run('/', 'explain', 'ns', 'imports', 'src/app.js', '--project', one)).code).toBe(0)
    writeFileSync(file, 'edited')
    const { code, out } = await run(one, 'explain', 'ns', 'imports', 'src/app.js')
    expect(code).toBe(1)
    expect(out).toMatch(
      /^Miss \(source-changed\): imports src\/app\.js in ns\nThe content of .*app\.js is not what it was\.\nStored .*, by analyze, .*, portable\n\n +recorded +now\n/,
    )
    expect(await json(run(one, 'explain', 'ns', 'imports', 'src/app.js', '--json'))).toMatchObject({
      namespace: 'ns',
      key: 'imports src/app.js',
      reason: 'source-changed',
      file,
      before: { kind: 'file' },
      after: { kind: 'file' },
    })
    expect((await run(one, 'explain', 'ns', 'outline', 'src/app.js')).out).toContain('Miss (never-set)')
  })

  test('shows all analyses of a file with their reasons', async () => {
    process.env.WICKED_CACHE_TEST_THEME = 'dark'
    onTestFinished(() => {
      delete process.env.WICKED_CACHE_TEST_THEME
    })
    const { one, file, run } = await analyzed((namespace, path) => {
      namespace.analyzeSync('imports', path, () => [])
      namespace.analyzeSync('highlight', path, ctx => ctx.env('WICKED_CACHE_TEST_THEME'))
    })
    expect(await run(one, 'explain', 'ns', 'src/app.js')).toEqual({
      code: 0,
      err: '',
      out: expect.stringMatching(
        /^The analyses of src\/app\.js in ns:\n\nanalysis +version +get\nhighlight +1 +hit\n {2}The entry is valid.*\nimports +1 +hit\n {2}The/,
      ),
    })
    process.env.WICKED_CACHE_TEST_THEME = 'light'
    const { code, out } = await run(one, 'explain', 'ns', 'src/app.js')
    expect(code).toBe(1)
    expect(out).toMatch(
      /^highlight +1 +miss \(environment-changed\)\n {2}The .*WICKED_CACHE_TEST_THEME has another value\.$/m,
    )
    expect(await json(run(one, 'explain', 'ns', 'src/app.js', '--json'))).toMatchObject({
      file: 'src/app.js',
      analyses: [{ input: 'WICKED_CACHE_TEST_THEME', reason: 'environment-changed' }, { isHit: true }],
    })
    writeFileSync(file, 'edited')
    expect((await run(one, 'explain', 'ns', file)).out.match(/source-changed/g)?.length).toBe(2)
  })

  test('takes the newest version or the given one', async () => {
    const { one, fill, run, file } = await analyzed((namespace, path) =>
      namespace.analyzeSync('imports', path, () => []),
    )
    await fill(cache => cache.namespace('ns', { version: '0', project: one }).analyzeSync('imports', file, () => []))
    const explained = (...args: string[]) => json(run(one, 'explain', 'ns', 'imports', 'src/app.js', '--json', ...args))
    expect(await explained('--plugin-version', '1')).toMatchObject({ version: '1', isHit: true })
    expect(await explained('--plugin-version', '2')).toMatchObject({ version: '2', reason: 'version-changed' })
    expect((await explained()).isHit).toBe(true)
  })

  test('prefers a key over a file of the same name', async () => {
    const { one, fill, run } = await analyzed((namespace, path) => namespace.analyzeSync('imports', path, () => []))
    await fill(cache => cache.namespace('ns', { project: one }).set('src/app.js', 1))
    expect((await run(one, 'explain', 'ns', 'src/app.js')).out).toContain('Hit: src/app.js in ns\n')
  })

  test('finds a wrapped call as list shows it', async () => {
    const { one, file, run } = await analyzed((namespace, path) =>
      namespace.wrapSync('highlight', (text: string, line: number) => text + line, { files: [path] })('(x', 1),
    )
    const key = 'highlight("(x",1)'
    expect((await run(one, 'list', 'ns')).out).toContain(key)
    expect((await run(one, 'explain', 'ns', key)).out).toContain(`Hit: ${key} in ns\n`)
    writeFileSync(file, 'edited')
    expect((await run(one, 'explain', 'ns', key)).out).toContain(`Miss (source-changed): ${key} in ns\n`)
    expect((await run(one, 'explain', 'ns', 'highlight("y",1)')).out).toContain('Miss (never-set)')
  })

  test('a call with lists and objects as list shows it', async () => {
    const { one, run } = await analyzed((namespace, path) =>
      namespace.wrapSync('rules', (_list: string[], _options: object) => 1, { files: [path] })(['a', 'b'], {
        deep: [1],
      }),
    )
    const key = 'rules(["a","b"],{"deep":[1]})'
    expect((await run(one, 'list', 'ns')).out).toContain(key)
    expect((await run(one, 'explain', 'ns', key)).out).toContain(`Hit: ${key} in ns\n`)
  })
})
