// Keys belong to projects: what the command line finds, shows and removes in a directory, and what it reports about others.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { jsonLines } from './harness.js'
import { directories, json } from './projects.js'

describe('set and get', () => {
  test('a key belongs to the project of the working directory, in subdirectories too', async () => {
    const { one, two, run } = directories()
    expect((await run(one, 'set', 'ns', 'key', '"of one"')).out).toBe(`Stored key in ns (project ${one})\n`)
    await run(join(two, 'src'), 'set', 'ns', 'key', '"of two"')
    expect((await run(join(one, 'src'), 'get', 'ns', 'key')).out).toBe('"of one"\n')
    expect((await run(two, 'get', 'ns', 'key')).out).toBe('"of two"\n')
    expect((await run(one, 'get', 'ns', 'key', '--project', '../two')).out).toBe('"of two"\n')
  })

  test('a user-wide key is found if the project has none, or with --user-wide', async () => {
    const { one, two, run } = directories()
    expect(await run(one, 'set', 'ns', 'key', '"of all"', '--user-wide', '--json')).toMatchObject({
      out: '{"stored":true,"project":null}\n',
    })
    await run(one, 'set', 'ns', 'key', '"of one"')
    expect((await run(one, 'get', 'ns', 'key')).out).toBe('"of one"\n')
    expect((await run(two, 'get', 'ns', 'key')).out).toBe('"of all"\n')
    expect((await run('/', 'get', 'ns', 'key')).out).toBe('"of all"\n')
    expect((await run(one, 'get', 'ns', 'key', '--user-wide')).out).toBe('"of all"\n')
    expect((await run(two, 'get', 'ns', 'key', '--project', '.')).code).toBe(1)
  })

  test('a miss reports which project has an entry', async () => {
    const { one, two, run } = directories()
    await run(one, 'set', 'ns', 'key', '1', '--plugin-version', '1')
    expect(await run(two, 'get', 'ns', 'key')).toEqual({
      code: 1,
      out: '',
      err: `Miss: key in ns: Nothing is stored under this key in ${two} or user-wide; there is an entry in ${one} (--project ${one}).\n`,
    })
    expect((await run('/', 'get', 'ns', 'key')).err).toContain(
      `user-wide; there is an entry in ${one} (--project ${one})`,
    )
    expect((await run(two, 'delete', 'ns', 'key')).err).toBe(
      `Nothing to delete: key in ns; there is an entry elsewhere: project ${one}\n`,
    )
    expect(await json(run(two, 'explain', 'ns', 'key', '--json'))).toMatchObject({
      reason: 'never-set',
      project: two,
      otherProjects: [one],
    })
    await run(one, 'set', 'ns', 'other', '1', '--user-wide')
    expect((await run(one, 'get', 'ns', 'other', '--project', two)).err).toContain(
      `in ${two}; there is a user-wide entry (--user-wide).`,
    )
  })

  test('a deleted user-wide key is reported as deleted', async () => {
    const { one, run } = directories()
    await run(one, 'set', 'ns', 'key', '1', '--user-wide')
    expect((await run(one, 'delete', 'ns', 'key')).out).toContain('Deleted 1 entry (user-wide)')
    expect((await run(one, 'get', 'ns', 'key')).err).toBe('Miss: key in ns: The entry was deleted.\n')
  })

  test('a computed result of a portable namespace is found in every project', async () => {
    const { one, two, run, fill } = directories()
    await fill(cache => {
      const namespace = cache.namespace('ns', { version: '3', portable: true, project: one })
      namespace.getOrSetSync('key', ctx => ctx.readFile(join(one, 'src', 'app.js')))
    })
    for (const dir of [one, two]) expect((await run(dir, 'get', 'ns', 'key')).out).toBe('"content"\n')
    expect((await run(two, 'explain', 'ns', 'key')).out).toMatch(/by getOrSet, \d+ B, portable/)
    writeFileSync(join(two, 'src', 'app.js'), 'edited')
    expect((await run(one, 'get', 'ns', 'key')).code).toBe(0)
    expect((await run(two, 'get', 'ns', 'key')).err).toContain(`The content of ${join(two, 'src', 'app.js')} is not`)
    expect((await run(two, 'delete', 'ns', 'key')).out).toContain('Deleted 1 entry (portable)')
    expect((await run(one, 'get', 'ns', 'key')).code).toBe(1)
  })

  test('a set outside of projects needs --project or --user-wide', async () => {
    const { run, cache } = directories()
    const { code, err } = await run('/', 'set', 'ns', 'key', '1')
    expect([code, err.split('\n')[0]]).toEqual([
      2,
      'wicked-cache: The working directory belongs to no project: give --project or --user-wide',
    ])
    expect(existsSync(cache)).toBe(false)
    expect((await run('/', 'set', 'ns', 'key', '1', '--user-wide')).code).toBe(0)
  })

  test('--project and --user-wide together are a usage error', async () => {
    const { one, run } = directories()
    for (const command of [
      ['get', 'ns', 'k'],
      ['set', 'ns', 'k', '1'],
      ['delete', 'ns', 'k'],
      ['explain', 'ns', 'k'],
      ['list'],
      ['clear', 'ns'],
    ]) {
      const { code, err } = await run(one, ...command, '--project', 'x', '--user-wide')
      expect([code, err]).toEqual([2, expect.stringContaining('Give only one of --project and --user-wide')])
    }
  })

  test('reading commands create no namespace', async () => {
    const { one, run } = directories()
    await run(one, 'set', 'ns', 'key', '1')
    for (const args of [
      ['get', 'nope', 'k'],
      ['delete', 'nope', 'k'],
      ['explain', 'nope', 'k'],
      ['list', 'nope'],
      ['stats', 'nope'],
      ['clear', 'nope'],
      ['clear', 'nope', '--all-projects'],
    ]) {
      await run(one, ...args)
    }
    expect(Object.keys((await json(run(one, 'stats', '--json'))).namespaces)).toEqual(['ns'])
  })
})

describe('list and stats', () => {
  const fillBoth = async () => {
    const all = directories()
    const { one, two, fill } = all
    await fill(cache => {
      cache.namespace('ns', { project: one }).set('a', 1)
      cache.namespace('ns', { project: two }).set('b', 1)
      cache.namespace('ns', { project: two }).set('c', 1)
      cache.namespace('ns', { project: false }).set('d', 1)
    })
    return all
  }
  const keys = (out: string) =>
    jsonLines(out)
      .map(({ key }) => key)
      .sort()
      .join('')

  test("list shows the project's and user-wide entries, or those of the given scope", async () => {
    const { one, two, run } = await fillBoth()
    expect(keys((await run(one, 'list', '--json')).out)).toBe('ad')
    expect(keys((await run(one, 'list', '--json', '--project', two)).out)).toBe('bc')
    expect(keys((await run(one, 'list', '--json', '--user-wide')).out)).toBe('d')
    expect(keys((await run(one, 'list', '--json', '--all-projects')).out)).toBe('abcd')
    expect(keys((await run('/', 'list', '--json')).out)).toBe('d')
  })

  test('entries of several projects have a project column', async () => {
    const { one, two, run } = await fillBoth()
    const { out } = await run(one, 'list', 'ns', '--all-projects')
    expect(out).toMatch(/^key .* project\n/)
    expect(out).toMatch(new RegExp(`^a .* ${one}$`, 'm'))
    expect(out).toMatch(new RegExp(`^b .* ${two}$`, 'm'))
    expect(out).toMatch(/^d .* \(user-wide\)$/m)
    expect((await run(one, 'list', 'ns', '--project', two)).out).not.toContain('project')
  })

  test('list reports that other projects have entries', async () => {
    const { one, two, fill, run } = directories()
    await fill(cache => cache.namespace('ns', { project: two }).set('b', 1))
    expect((await run(one, 'list', 'ns')).out).toBe('No entries here; --all-projects shows 1\n')
  })

  test('a deleted project is marked, and keeps its entries after a gc', async () => {
    const { root, one, run, fill } = await fillBoth()
    const gone = join(root, 'gone')
    mkdirSync(gone)
    writeFileSync(join(gone, 'source'), '')
    await fill(cache => {
      const namespace = cache.namespace('ns', { project: gone })
      namespace.set('g', 1)
      namespace.set('h', 1, { files: [join(gone, 'source')] })
    })
    rmSync(gone, { recursive: true })
    await run(one, 'gc')
    const { out } = await run(one, 'list', 'ns', '--all-projects')
    expect(out).toMatch(new RegExp(`^g .* ${gone} \\(gone\\)$`, 'm'))
    expect(out).toMatch(new RegExp(`^h .* ${gone} \\(gone\\)$`, 'm'))
    const listed = jsonLines((await run(one, 'list', 'ns', '--project', gone, '--json')).out)
    expect(listed).toMatchObject([{ isProjectGone: true }, { isProjectGone: true }])
    expect((await run(one, 'stats')).out).toContain(`${gone} (gone)`)
    expect(await json(run(one, 'stats', 'ns', '--json'))).toMatchObject({ goneProjects: [gone] })
    expect((await run(one, 'get', 'ns', 'g', '--project', gone)).out).toBe('1\n')
  })

  test('stats shows the projects with the most entries, or all with --all-projects', async () => {
    const { root, one, two, run, fill } = await fillBoth()
    await fill(cache => {
      for (let i = 0; i < 10; i++)
        cache.namespace('more', { project: join(root, `p${i}`) }).setMany([{ key: 'a', value: 1 }])
    })
    const { out } = await run(one, 'stats')
    const tail = out.slice(out.indexOf('\nproject'))
    expect(tail).toMatch(new RegExp(`^\nproject +entries\n${two} +2\n`))
    expect(tail).toMatch(/^2 more \(--all-projects\) +2$/m)
    expect(tail).toMatch(/^\(user-wide or portable\) +1$/m)
    expect((await run(one, 'stats', '--all-projects')).out).toContain(join(root, 'p9'))
    const stats = await json(run(one, 'stats', '--json'))
    expect(stats.projects).toMatchObject({ [one]: 1, [two]: 2, [join(root, 'p3')]: 1 })
    expect(stats.namespaces.ns.projects).toEqual({ [one]: 1, [two]: 2 })
  })

  test('an analysis is listed by name and file, a wrapped call by name and arguments', async () => {
    const { one, run, fill } = directories()
    await fill(cache => {
      const namespace = cache.namespace('ns', { project: one })
      namespace.analyzeSync('imports', join(one, 'src', 'app.js'), () => [])
      namespace.wrapSync('highlight', (text: string, line: number) => text + line)('x', 1)
    })
    const { out } = await run(one, 'list', 'ns')
    expect(out).toMatch(/^imports src\/app\.js .* \(portable\)$/m)
    expect(out).toMatch(new RegExp(`^highlight\\("x",1\\) .* ${one}$`, 'm'))
    expect(
      jsonLines((await run(one, 'list', 'ns', '--json')).out)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['highlight', 'imports'])
  })
})

describe('clear', () => {
  const fillAll = async () => {
    const all = directories()
    await all.fill(cache => {
      cache.namespace('ns', { project: all.one }).set('a', 'xxxx')
      cache.namespace('ns', { project: all.one }).analyzeSync('imports', join(all.one, 'src', 'app.js'), () => [])
      cache.namespace('ns', { project: all.two }).set('b', 1)
      cache.namespace('ns', { project: false }).set('c', 1)
    })
    const left = async () =>
      jsonLines((await all.run(all.one, 'list', '--all-projects', '--json')).out)
        .map(({ key }) => key)
        .sort()
    return { ...all, left }
  }

  test("removes the project's and portable entries and reports what is left", async () => {
    const { one, run, left } = await fillAll()
    expect((await run(one, 'clear', 'ns')).out).toMatch(
      new RegExp(
        `^Cleared 2 entries of ns \\(project ${one}\\); the next gc frees up to .*; 2 elsewhere \\(--all-projects\\)\n$`,
      ),
    )
    expect(await left()).toEqual(['b', 'c'])
    expect(await json(run(one, 'clear', 'ns', '--user-wide', '--json'))).toEqual({
      cleared: 1,
      namespaces: { ns: 1 },
      project: null,
    })
    expect(await left()).toEqual(['b'])
  })

  test('--all-projects removes all entries of the namespace', async () => {
    const { one, run, left } = await fillAll()
    expect((await run(one, 'clear', 'ns', '--all-projects')).out).toMatch(/^Cleared 4 entries of ns; the next gc /)
    expect(await left()).toEqual([])
    expect(Object.keys((await json(run(one, 'stats', '--json'))).namespaces)).toEqual(['ns'])
    await run(one, 'clear', 'ns', '--all-projects', '--statistics')
    expect((await json(run(one, 'stats', '--json'))).namespaces).toEqual({})
  })

  test.each([
    [['clear', 'ns', '--statistics'], '--all-projects'],
    [['clear', '--all', '--project', 'x'], '--all is for all projects'],
    [['clear', 'ns', '--all-projects', '--user-wide'], 'Give only one of'],
  ])('%j is rejected', async (args, named) => {
    const { one, run, left } = await fillAll()
    expect(await run(one, ...args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(named) })
    expect((await left()).length).toBe(4)
  })
})

test('set accepts --file several times, and with --ttl', async () => {
  const { one, run } = directories()
  const args = ['--file', 'src/app.js', '--file', 'package.json', '--ttl', '12h']
  await run(one, 'set', 'ns', 'key', '1', ...args)
  const [entry] = jsonLines((await run(one, 'list', 'ns', '--json')).out)
  expect(entry.files).toEqual([join(one, 'src', 'app.js'), join(one, 'package.json')])
  expect(entry.expiresAt - entry.createdAt).toBe(12 * 3_600_000)
  writeFileSync(join(one, 'package.json'), '{"a": 1}')
  expect((await run(one, 'get', 'ns', 'key')).code).toBe(1)
})
