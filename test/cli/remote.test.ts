import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import type { Cache, Namespace } from '../../src/index.js'
import { keys } from '../remote/machines.js'
import { within } from '../support/projects.js'
import { cli, filled, temporaryDir } from './harness.js'

const VARIABLES = ['WICKED_CACHE_REMOTE', 'WICKED_CACHE_REMOTE_KEYS', 'WICKED_CACHE_REMOTE_SIGNING_KEY'] as const

beforeEach(() => {
  for (const name of VARIABLES) delete process.env[name]
})

/** What the environment of a process says. */
function environment(variables: Partial<Record<(typeof VARIABLES)[number], string>>) {
  for (const name of VARIABLES) delete process.env[name]
  Object.assign(process.env, variables)
  onTestFinished(() => {
    for (const name of VARIABLES) delete process.env[name]
  })
}

/** Two machines with a checkout each, and what they share. */
function machines() {
  const base = temporaryDir()
  mkdirSync(join(base, 'share'))
  const machine = (name: string) => {
    const project = join(base, name, 'checkout')
    mkdirSync(project, { recursive: true })
    writeFileSync(join(project, 'package.json'), '{}')
    writeFileSync(join(project, 'a.js'), 'a')
    return { project, dir: join(base, name, 'cache') }
  }
  return {
    url: pathToFileURL(join(base, 'share')).href,
    bundle: join(base, 'a.bundle'),
    a: machine('a'),
    b: machine('b'),
  }
}

async function analyzed({ dir, project }: { dir: string; project: string }) {
  let isHit = false
  await filled(dir, cache => {
    const entries = cache.namespace('tool', { project })
    entries.analyzeSync('text', join(project, 'a.js'), ctx => ctx.source, {
      onResult: result => {
        isHit = result.isHit
      },
    })
  })
  return isHit
}

test('keygen prints keys that the environment accepts', async () => {
  const { code, out } = await cli(['remote', 'keygen'])
  expect(code).toBe(0)
  expect(out).toMatch(/^WICKED_CACHE_REMOTE_KEYS=wicked-cache-public:[\w-]{43}$/m)
  expect(out).toMatch(/^WICKED_CACHE_REMOTE_SIGNING_KEY=wicked-cache-secret:[\w-]{43}$/m)
  const made = JSON.parse((await cli(['remote', 'keygen', '--json'])).out)
  environment({ WICKED_CACHE_REMOTE: 'file:///tmp', WICKED_CACHE_REMOTE_KEYS: `${keys.publicKey}, ${made.publicKey}` })
  const status = await cli(['remote', 'status', '--dir', join(temporaryDir(), 'cache')])
  expect(status).toMatchObject({ code: 0, err: '' })
})

test.each([
  ['does not exist', 'its directory does not exist', () => undefined],
  ['is a file', 'its path is not a directory', (path: string) => writeFileSync(path, '')],
])('status reports that a shared directory %s', async (_, problem, make) => {
  const path = join(temporaryDir(), 'share')
  make(path)
  environment({ WICKED_CACHE_REMOTE: pathToFileURL(path).href, WICKED_CACHE_REMOTE_KEYS: keys.publicKey })
  const { code, out } = await cli(['remote', 'status', '--dir', join(temporaryDir(), 'cache')])
  expect([code, out]).toEqual([1, expect.stringContaining(`answered  no: ${problem}`)])
})

test('status shows the remote and that it answers', async () => {
  const { url, a } = machines()
  const none = await cli(['remote', 'status', '--dir', a.dir])
  expect(none).toMatchObject({ code: 1, out: '' })
  expect(none.err).toContain('WICKED_CACHE_REMOTE')

  environment({ WICKED_CACHE_REMOTE: url, WICKED_CACHE_REMOTE_KEYS: keys.publicKey })
  const { code, out } = await cli(['remote', 'status', '--dir', a.dir])
  expect(code).toBe(0)
  expect(out).toContain(`store     ${url}`)
  expect(out).toContain('read, stores nothing')
  expect(out).toMatch(/answered {2}in \d+\.\d ms/)
  expect(JSON.parse((await cli(['remote', 'status', '--json', '--dir', a.dir])).out)).toMatchObject({
    breaker: 'closed',
  })

  environment({
    WICKED_CACHE_REMOTE: 'http://user:hidden@127.0.0.1:1/x?y=hidden',
    WICKED_CACHE_REMOTE_KEYS: keys.publicKey,
  })
  const dead = await cli(['remote', 'status', '--dir', a.dir])
  expect(dead.code).toBe(1)
  expect(dead.out).toContain('ECONNREFUSED')
  expect(dead.out + dead.err).not.toContain('hidden')

  environment({ WICKED_CACHE_REMOTE: 'gopher://x', WICKED_CACHE_REMOTE_KEYS: keys.publicKey })
  const wrong = await cli(['remote', 'status', '--dir', a.dir])
  expect(wrong).toMatchObject({ code: 1, out: '' })
  expect(wrong.err).toContain('ERR_CACHE_CONFIG')
})

test('another machine finds pushed results', async () => {
  const { url, a, b } = machines()
  await analyzed(a)
  environment({ WICKED_CACHE_REMOTE: url, WICKED_CACHE_REMOTE_SIGNING_KEY: keys.signingKey })
  const pushed = await cli(['remote', 'push', 'tool', '--dir', a.dir, '--project', a.project])
  expect(pushed).toMatchObject({ code: 0, err: '' })
  expect(pushed.out).toMatch(/^Stored 1 answer \(.*\), 0 skipped\n$/)

  environment({})
  writeFileSync(join(b.project, 'a.js'), 'other')
  expect(await analyzed(b)).toBe(false)
  writeFileSync(join(b.project, 'a.js'), 'a')
  environment({ WICKED_CACHE_REMOTE: url, WICKED_CACHE_REMOTE_KEYS: keys.publicKey })
  const refused = await cli(['remote', 'push', '--dir', b.dir, '--project', b.project])
  expect(refused).toMatchObject({ code: 1, out: '' })
  const pulled = await cli(['remote', 'pull', '--dir', b.dir, '--project', b.project])
  expect(pulled).toMatchObject({ code: 0, err: '' })
  expect(pulled.out).toMatch(/^Took 1 answer/)
  environment({})
  expect(await analyzed(b)).toBe(true)
  expect((await cli(['stats', '--dir', b.dir])).out).toContain('Remote: 1 hit, 0 misses')
})

test('a bundle works without a remote', async () => {
  const { bundle, a, b } = machines()
  await analyzed(a)
  environment({ WICKED_CACHE_REMOTE_SIGNING_KEY: keys.signingKey })
  const pushed = await cli(['remote', 'push', '--bundle', bundle, '--dir', a.dir, '--project', a.project, '--json'])
  expect(pushed).toMatchObject({ code: 0, err: '' })
  expect(JSON.parse(pushed.out)).toMatchObject({ transferred: 1, rejected: 0 })
  environment({ WICKED_CACHE_REMOTE_KEYS: keys.publicKey })
  const pulled = await cli(['remote', 'pull', '--bundle', bundle, '--dir', b.dir, '--project', b.project])
  expect(pulled).toMatchObject({ code: 0, err: '' })
  environment({})
  expect(await analyzed(b)).toBe(true)
  const stranger = await cli(['remote', 'pull', '--bundle', join(a.project, 'a.js'), '--dir', b.dir])
  expect(stranger.code).toBe(1)
})

test('an unknown action is a usage error', async () => {
  expect((await cli(['remote', 'stauts'])).code).toBe(2)
  expect((await cli(['remote'])).code).toBe(2)
})

test('explain --remote shows what the remote has for an analysis', async () => {
  const { url, a, b } = machines()
  environment({ WICKED_CACHE_REMOTE: url, WICKED_CACHE_REMOTE_SIGNING_KEY: keys.signingKey })
  await analyzed(a)
  const pushed = await cli(['remote', 'push', '--dir', a.dir, '--project', a.project])
  expect(pushed.code).toBe(0)
  const file = join(b.project, 'a.js')
  const asked = (...more: string[]) =>
    cli(['explain', 'tool', 'text', file, '--dir', b.dir, '--project', b.project, ...more])
  expect((await asked()).out).not.toContain('Remote')
  const found = await asked('--remote')
  expect(found).toMatchObject({ code: 1, err: '' })
  expect(found.out).toMatch(/^Remote: hit, computed .+ ago$/m)
  expect(JSON.parse((await asked('--remote', '--json')).out).remote).toMatch(/^hit, /)
  // It is not kept: only looked at.
  expect((await asked()).out).toMatch(/^Miss \(never-set\)/)
  writeFileSync(file, 'changed')
  expect((await asked('--remote')).out).toMatch(/^Remote: miss for version ""; --plugin-version asks for another$/m)
  const all = await cli([
    'explain',
    'tool',
    join(a.project, 'a.js'),
    '--remote',
    '--dir',
    a.dir,
    '--project',
    a.project,
  ])
  expect(all.out).toContain('Remote: hit')
  const key = await cli(['explain', 'tool', 'a key', '--remote', '--dir', b.dir, '--project', b.project])
  expect(key.out).toMatch(/^Remote: miss for version ""; --plugin-version asks for another$/m)
  environment({})
  expect((await asked('--remote')).err).toContain('no remote tier')
})

test.each([['http://127.0.0.1:1/'], ['redis://127.0.0.1:1'], ['file:///is/not/there']])(
  'pull from %s, which does not answer, fails',
  async url => {
    const { a } = machines()
    await analyzed(a)
    writeFileSync(join(a.project, 'a.js'), 'edited')
    environment({ WICKED_CACHE_REMOTE: url, WICKED_CACHE_REMOTE_KEYS: keys.publicKey })
    const { code, out, err } = await cli(['remote', 'pull', '--dir', a.dir, '--project', a.project])
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('left 1 of 1 questions unanswered; 0 answers were taken')
  },
)

test('explain asks the store for the version that the namespace has, or says which one it asked for', async () => {
  const { url, a, b } = machines()
  const open = (project: string, version: string) => (cache: Cache) =>
    cache.namespace('tool', { project, version, portable: true })
  const ask = (entries: Namespace) => entries.getOrSetSync('config', ctx => ctx.readFile('a.js').toString())
  const inProject = (project: string, entries: Namespace) => within(project, () => ask(entries))
  await filled(a.dir, cache => inProject(a.project, open(a.project, '1.2')(cache)))
  environment({ WICKED_CACHE_REMOTE: url, WICKED_CACHE_REMOTE_SIGNING_KEY: keys.signingKey })
  // The answer was computed in the project's directory, and this process runs elsewhere.
  const pushed = await cli(['remote', 'push', '--dir', a.dir, '--project', a.project])
  expect(pushed.out).toContain('Stored 1 answer')

  environment({ WICKED_CACHE_REMOTE: url, WICKED_CACHE_REMOTE_KEYS: keys.publicKey })
  const explained = () => cli(['explain', 'tool', 'config', '--remote', '--dir', b.dir, '--project', b.project])
  expect((await explained()).out).toContain('Remote: miss for version ""; --plugin-version asks for another')
  await filled(b.dir, cache => open(b.project, '1.2')(cache).set('other', 1))
  expect((await explained()).out).toContain('Remote: hit, computed')
})
