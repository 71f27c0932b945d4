import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { escapeHtml, html } from '../../cli/report/markup.js'
import { openerFor } from '../../cli/report/open.js'
import { SizeTree } from '../../cli/report/size-tree.js'
import { name } from '../../cli/report/table.js'
import { treemapOf } from '../../cli/report/treemap.js'
import { openCache } from '../../src/index.js'
import { filesBelow } from '../support/caches.js'
import { cli, filled, library, temporaryDir } from './harness.js'

const PATH = process.env.PATH

afterEach(() => {
  process.env.PATH = PATH
})

async function store(): Promise<{ dir: string; out: string }> {
  const root = temporaryDir()
  const dir = join(root, 'cache')
  await filled(dir, cache => {
    const entries = cache.namespace('lint', { project: '/nowhere/shop' })
    entries.getOrSetSync('src/a.ts', () => 'x'.repeat(5000))
    entries.set('src/b.ts', 'y'.repeat(3000))
    entries.get('src/b.ts')
    entries.get('src/none.ts')
    cache.namespace('build', { project: false }).set('key', 'y'.repeat(3000))
    cache.namespace('build', { project: false }).set('over', 1, { ttl: 1 })
  })
  return { dir, out: join(root, 'report.html') }
}

/** All files with their bytes. */
const contentOf = (dir: string) => filesBelow(dir).map(file => [file, readFileSync(join(dir, file), 'latin1')])

describe('report', () => {
  test('writes a page with all figures and prints its path', async () => {
    const { dir, out } = await store()
    expect(await cli(['report', '--dir', dir, '--out', out])).toEqual({ code: 0, out: `${out}\n`, err: '' })
    const page = readFileSync(out, 'utf8')
    const text = page.replace(/<style>.*?<\/style>|<script>.*?<\/script>/gs, '').replace(/<[^>]*>/g, ' ')
    for (const part of [
      'lint',
      'build',
      '/nowhere/shop',
      'src/a.ts',
      'never set',
      '33.3 %',
      'Made by wicked-cache 1.2.3',
    ])
      expect(text).toContain(part)
    // Which aren't the least recently used ones.
    expect(text).toContain('worth least')
    expect(text).toMatch(/Expired entries\s+1\s/)
    expect(text).toMatch(/build[\s,]+lint\s+2\.9 KB/)
    expect(page).toContain(`default-src 'none'`.replaceAll(`'`, '&#39;'))
    expect(page).not.toMatch(/(?:src|href)=|@import|url\(/)
  })

  test('shows hits and misses of projects, including those with portable results only', async () => {
    const { dir, out } = await store()
    const project = join(temporaryDir(), 'portable')
    mkdirSync(project)
    writeFileSync(join(project, 'a.js'), 'a')
    await filled(dir, cache => {
      const entries = cache.namespace('lint', { project })
      for (let ask = 0; ask < 4; ask++)
        entries.analyzeSync('size', join(project, 'a.js'), ({ source }) => source.length)
    })
    await cli(['report', '--dir', dir, '--out', out])
    const [, section = ''] =
      /<section aria-labelledby="projects">(.*?)<\/section>/s.exec(readFileSync(out, 'utf8')) ?? []
    const rows = section
      .replace(/<\/tr>/g, '\n')
      .replace(/<svg.*?<\/svg>/g, '')
      .replace(/<[^>]*>/g, ' ')
      .split('\n')
      .map(row => row.trim().split(/ {2,}/))
    const rowOf = (name: string) => rows.filter(([first = '']) => first.startsWith(name))
    expect(rowOf(project)[0]?.slice(0, 4)).toEqual([project, '75.0 %', '3', '1'])
    expect(rowOf(project)[1]).toEqual([project, 'never set', '1', '100.0 %'])
    expect(rowOf('/nowhere/shop')[0]?.slice(1, 4)).toEqual(['(gone)', '33.3 %', '1'])
  })

  test('changes nothing in the cache and counts no miss', async () => {
    const { dir, out } = await store()
    const before = contentOf(dir)
    await cli(['report', '--dir', dir, '--out', out])
    expect(contentOf(dir)).toEqual(before)
  })

  test('of a missing cache does not create it', async () => {
    const dir = join(temporaryDir(), 'none')
    const out = `${dir}.html`
    expect(await cli(['report', '--dir', dir, '--out', out])).toMatchObject({ code: 0, err: '' })
    expect(readFileSync(out, 'utf8')).toContain('Nothing is stored.')
    expect(existsSync(dir)).toBe(false)
  })

  test('works for a cache without write permission', async () => {
    const { dir, out } = await store()
    for (const file of ['v2', 'v2/namespaces', '.']) chmodSync(join(dir, file), 0o500)
    try {
      expect(await cli(['report', '--dir', dir, '--out', out])).toMatchObject({ code: 0, err: '' })
    } finally {
      for (const file of ['.', 'v2', 'v2/namespaces']) chmodSync(join(dir, file), 0o700)
    }
  })

  test('lists the parts that could not be read, and shows the rest', async () => {
    const { dir, out } = await store()
    const path = join(dir, 'v2', 'namespaces', 'lint', 'manifest')
    const [name = ''] = filesBelow(path)
    const file = join(path, name)
    rmSync(file)
    // Which nobody can read as a file.
    mkdirSync(file)
    const { code, err } = await cli(['report', '--dir', dir, '--out', out])
    expect(code).toBe(1)
    expect(err).toContain('warning:')
    const page = readFileSync(out, 'utf8')
    expect(page).toContain('Parts of the cache could not be read')
    expect(page).toContain('goes on without it')
    expect(page).toContain('build')
  })

  test('reports a failed gc estimate and exits with 1', async () => {
    const { dir, out } = await store()
    const failure = Object.assign(new Error('EIO: i/o error, scandir'), { code: 'EIO' })
    const broken: typeof library = {
      ...library,
      openCache: async options => Object.assign(await openCache(options), { gc: () => Promise.reject(failure) }),
    }
    const problem = "What a gc would free can't be told: EIO: i/o error, scandir"
    const expected = { code: 1, err: `warning: ${problem}\n` }
    expect(await cli(['report', '--dir', dir, '--out', out], { library: broken })).toMatchObject(expected)
    expect(readFileSync(out, 'utf8')).toContain('could not be read')
    const { code, err, out: text } = await cli(['report', '--dir', dir, '--json'], { library: broken })
    expect({ code, err }).toEqual(expected)
    expect(JSON.parse(text).problems).toEqual([problem])
  })

  test('with --json prints the figures and writes no file', async () => {
    const { dir, out } = await store()
    const { code, out: text } = await cli(['report', '--dir', dir, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(text)).toMatchObject({
      dir,
      stats: { entryCount: 4, hitCount: 1, sharing: [{ namespaces: ['build', 'lint'], bytes: 3003 }] },
      projects: [
        {
          project: '/nowhere/shop',
          entryCount: 2,
          bytes: expect.any(Number),
          asked: { hitCount: 1, missCount: 2, missReasons: { 'never-set': 2 } },
        },
      ],
      largest: [{ key: 'src/a.ts' }, {}, {}, {}],
      gc: { expiredEntries: 1 },
      problems: [],
    })
    expect(existsSync(out)).toBe(false)
    expect(await cli(['report', '--dir', dir, '--json', '--out', out])).toMatchObject({ code: 2 })
  })

  test('into a missing directory fails with the reason', async () => {
    const { dir } = await store()
    const { code, err } = await cli(['report', '--dir', dir, '--out', join(dir, 'none', 'page.html')])
    expect(code).toBe(1)
    expect(err).toContain('ENOENT')
  })

  test.skipIf(process.platform === 'win32')('with --open opens the page or reports that it failed', async () => {
    const { dir, out } = await store()
    const programs = temporaryDir()
    const [program] = openerFor(out, process.platform)
    const seen = join(programs, 'seen')
    process.env.PATH = programs
    const failed = await cli(['report', '--dir', dir, '--out', out, '--open'])
    expect(failed).toMatchObject({ code: 1, err: expect.stringContaining(`open ${out} yourself`) })
    writeFileSync(join(programs, program), `#!/bin/sh\nprintf %s "$1" > ${seen}\n`, { mode: 0o755 })
    expect(await cli(['report', '--dir', dir, '--out', out, '--open'])).toMatchObject({ code: 0, err: '' })
    expect(readFileSync(seen, 'utf8')).toBe(out)
  })

  test('does not grow with the number of entries', async () => {
    const root = temporaryDir()
    const sizes: number[] = []
    for (const count of [2000, 20_000]) {
      const dir = join(root, `cache ${count}`)
      await filled(dir, cache => {
        for (const project of ['/a', '/b']) {
          const entries = cache.namespace('lint', { project })
          const values = Array.from({ length: count / 2 }, (_, n) => ({ key: `src/${n % 900}/${n}.ts`, value: n }))
          entries.setMany(values)
        }
      })
      await cli(['report', '--dir', dir, '--out', join(root, 'page.html')])
      sizes.push(statSync(join(root, 'page.html')).size)
    }
    expect(sizes[1]).toBeLessThan((sizes[0] as number) * 1.05)
    expect(sizes[1]).toBeLessThan(500_000)
  })
})

describe('text in the page', () => {
  test('is escaped unless it comes from a template', () => {
    expect(html`<p title="${`"'<>&`}">${['<b>', html`<i>${'</i>'}</i>`, 5, false, undefined]}</p>`.text).toBe(
      '<p title="&quot;&#39;&lt;&gt;&amp;">&lt;b&gt;<i>&lt;/i&gt;</i>5</p>',
    )
  })

  test('is truncated if long, but not within a character', () => {
    const start = 'x'.repeat(199)
    expect(name(`${start}yz`).text).toBe(`<bdi>${start}y…</bdi>`)
    expect(name(`${start}😀z`).text).toBe(`<bdi>${start}…</bdi>`)
    expect(name(`${start}y`).text).toBe(`<bdi>${start}y</bdi>`)
  })

  test('is limited in the map of sizes', () => {
    const sizes = new SizeTree()
    const entry = { namespace: 'ns', version: '', project: null, isPortable: false, sizeBytes: 1000 }
    const times = { createdAt: 0, usedAt: 0, computeMs: null, isPastAnswer: false, mode: 'manual' as const }
    const part = (text: string) => text.padEnd(9000, '<')
    for (let n = 0; n < 500; n++) {
      sizes.add({ ...entry, ...times, key: [`a${n}`, `b${n}`, `c${n}`, 'file'].map(part).join('/') })
    }
    expect(treemapOf(sizes.largest(400)).text.length).toBeLessThan(2_000_000)
  })

  test('shows invisible characters as escapes', () => {
    expect(escapeHtml('a\u2028\u202e\ud800\0\n\u200bé😀')).toBe('a\\u2028\\u202e\\ud800\\u0000\\u000a\\u200bé😀')
  })
})
