// The settings of the remote: where they come from, which wins, and the messages about invalid ones.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import type { CacheOptions } from '../../src/index.js'
import { CacheError } from '../../src/index.js'
import { parsePlace, shown } from '../../src/remote/place.js'
import { settingsOf } from '../../src/remote/settings.js'
import { errorOf, openAsAnotherProcess, temporaryDirectory } from '../support/caches.js'
import { runModule } from '../support/children.js'
import { Tree } from '../support/projects.js'
import { keys, otherKeys, writer } from './machines.js'

const { publicKey, signingKey } = keys
const env = { WICKED_CACHE_REMOTE: 'https://env.example/', WICKED_CACHE_REMOTE_KEYS: publicKey }
const config = (remote: object) => JSON.stringify({ maxSize: '1GB', remote })

test('options override the environment, which overrides config.json', () => {
  const configured = config({
    url: 'https://config.example/',
    keys: [otherKeys.publicKey],
    scope: 'team',
    maxObject: '2MB',
  })
  const urlOf = (...given: Parameters<typeof settingsOf>) => settingsOf(...given)?.place?.url.hostname
  expect(urlOf(undefined, {}, configured)).toBe('config.example')
  expect(urlOf(undefined, env, configured)).toBe('env.example')
  expect(urlOf({ url: 'https://option.example/' }, env, configured)).toBe('option.example')
  const settings = settingsOf({ timeouts: { read: '2s' } }, env, configured)
  expect(settings).toMatchObject({
    mode: 'read',
    scope: 'team',
    maxBytes: 2 * 2 ** 20,
    timeouts: { connectMs: 250, readMs: 2000, uploadMs: 5000 },
  })
  expect(settings?.keys).toHaveLength(1)
  expect(settingsOf({ keys: [publicKey] }, {}, undefined)).toBeUndefined()
  const adapter = { getMany: async () => [], put: async () => undefined, close: () => undefined }
  expect(settingsOf({ adapter }, env, configured)?.place).toBeUndefined()
})

test('the environment can restrict the mode, and without a signing key the mode is read', () => {
  const modeOf = (mode: 'off' | 'read' | 'readwrite' | undefined, variables: Record<string, string> = {}) =>
    settingsOf(mode && { mode }, { ...env, ...variables }, undefined)?.mode ?? 'off'
  const key = { WICKED_CACHE_REMOTE_SIGNING_KEY: signingKey }
  expect(modeOf(undefined, key)).toBe('read')
  expect(modeOf('readwrite', key)).toBe('readwrite')
  expect(modeOf(undefined, { ...key, WICKED_CACHE_REMOTE_MODE: 'readwrite' })).toBe('readwrite')
  expect(modeOf('readwrite', { ...key, WICKED_CACHE_REMOTE_MODE: 'read' })).toBe('read')
  expect(modeOf('readwrite', { ...key, WICKED_CACHE_REMOTE_MODE: 'off' })).toBe('off')
  expect(modeOf('off', { ...key, WICKED_CACHE_REMOTE_MODE: 'readwrite' })).toBe('off')
  expect(modeOf('readwrite')).toBe('read')
  expect(modeOf('readwrite', { WICKED_CACHE_REMOTE_TRUST: 'store' })).toBe('readwrite')
})

test('an invalid setting in the environment or config.json is a warning and turns the remote off', () => {
  const codeOf = (...given: Parameters<typeof settingsOf>) => errorOf(() => settingsOf(...given)).code
  const mistakes: [Record<string, string>, string | undefined][] = [
    [{ WICKED_CACHE_REMOTE: 'gopher://x' }, undefined],
    [{ WICKED_CACHE_REMOTE: 'no url' }, undefined],
    [{ WICKED_CACHE_REMOTE_MODE: 'write' }, undefined],
    [{ WICKED_CACHE_REMOTE_KEYS: 'none' }, undefined],
    [{ WICKED_CACHE_REMOTE_KEYS: signingKey }, undefined],
    [{ WICKED_CACHE_REMOTE_SIGNING_KEY: publicKey }, undefined],
    [{ WICKED_CACHE_REMOTE_TRUST: 'all' }, undefined],
    [{ WICKED_CACHE_REMOTE_TOKEN: 'a\r\nb: c' }, undefined],
    [{}, '{'],
    [{}, config({ urls: 'x' })],
    [{}, config({ adapter: {} })],
    [{}, config({ timeouts: { read: 'soon' } })],
    [{}, config({ timeouts: { reed: 1 } })],
    [{}, config({ maxObject: 1 })],
    [{}, config([])],
  ]
  for (const [variables, configuration] of mistakes) {
    expect([variables, configuration, codeOf(undefined, { ...env, ...variables }, configuration)]).toEqual([
      variables,
      configuration,
      'ERR_CACHE_CONFIG',
    ])
  }
  // Nobody is trusted.
  expect(codeOf({ url: 'https://x/' }, {}, undefined)).toBe('ERR_CACHE_CONFIG')

  const dir = temporaryDirectory()
  writeFileSync(join(dir, 'config.json'), config({ url: 'gopher://x', keys: [publicKey] }))
  const { cache, warnings } = openAsAnotherProcess(dir)
  expect(cache.remote).toBeUndefined()
  expect(warnings.map(({ code }) => code)).toEqual(['ERR_CACHE_CONFIG'])
})

test('an invalid option throws, without showing secrets', () => {
  const mistakes = [
    { url: 'gopher://user:hidden@x' },
    { url: 7 },
    { keys: ['hidden'] },
    { keys: 'hidden' },
    { signingKey: 'hidden' },
    { token: 'hid\nden' },
    { scope: 7 },
    { mode: 'hid' },
    { trust: 'x' },
    { adapter: {} },
    { timeouts: { read: -1 } },
    { maxObject: 'large' },
    { sgningKey: 'hidden' },
  ]
  for (const remote of mistakes) {
    const error = errorOf(() => openAsAnotherProcess(temporaryDirectory(), { remote } as unknown as CacheOptions))
    expect([remote, error.code]).toEqual([remote, 'ERR_CACHE_OPTION'])
    expect(inspect(error)).not.toMatch(/hidden|hid\nden/)
  }
  for (const remote of [true, 'https://x', null, 0]) {
    expect(errorOf(() => openAsAnotherProcess(temporaryDirectory(), { remote } as unknown as CacheOptions)).code).toBe(
      'ERR_CACHE_OPTION',
    )
  }
  const broken = errorOf(() => settingsOf(undefined, env, '{ "remote": { "token": hidden'))
  expect(inspect(broken)).not.toContain('hidden')
  expect(broken).toBeInstanceOf(CacheError)
})

test('URLs are parsed, and shown without secrets', () => {
  const of = (text: string) => {
    const place = parsePlace(text)
    return place && [place.kind, place.layout, shown(place)]
  }
  expect(of('https://user:pw@host:8443/path/?token=x#y')).toEqual(['http', 'dav', 'https://host:8443/path/'])
  expect(of('turbo+https://host/?teamId=1')).toEqual(['http', 'turbo', 'turbo+https://host/'])
  expect(of('NX+http://host')).toEqual(['http', 'nx', 'nx+http://host/'])
  expect(of('bazel+http://[::1]:80/x')).toEqual(['http', 'bazel', 'bazel+http://[::1]/x'])
  expect(of('rediss://:pw@host/2')).toEqual(['redis', 'dav', 'rediss://host/2'])
  expect(of('s3://bucket.name/a/b?region=x')).toEqual(['s3', 'dav', 's3://bucket.name/a/b'])
  expect(of('file:///share/cache')).toEqual(['file', 'dav', 'file:///share/cache'])
  for (const text of [
    '',
    'host',
    'ftp://host',
    'redis:///',
    's3:///x',
    'file:///',
    'dav+ftp://host',
    'redis+https://x',
  ])
    expect([text, of(text)]).toEqual([text, undefined])
})

test('files of a repository cannot configure a remote, and remote: false turns it off', () => {
  const tree = new Tree({ 'package.json': '{}', 'a.js': 'a' })
  mkdirSync(tree.at('share'))
  const remote = { url: pathToFileURL(tree.at('share')).href, keys: [publicKey] }
  tree.write({ 'config.json': JSON.stringify({ remote }), '.wicked-cache.json': JSON.stringify({ remote }) })
  const before = process.cwd()
  process.chdir(tree.root)
  onTestFinished(() => process.chdir(before))
  expect(openAsAnotherProcess(tree.at('cache')).cache.remote).toBeUndefined()
  const own = temporaryDirectory()
  writeFileSync(join(own, 'config.json'), JSON.stringify({ remote }))
  expect(openAsAnotherProcess(own).cache.remote).toBeDefined()
  expect(openAsAnotherProcess(own, { remote: false }).cache.remote).toBeUndefined()
  expect(openAsAnotherProcess(own, { mode: 'off' }).cache.remote).toBeUndefined()
})

test.each(['the environment', 'options'])(
  'with a remote in %s, local hits and gets load no adapter, and a miss loads only one',
  async where => {
    const tree = new Tree({ 'package.json': '{}', 'a.js': 'a' })
    mkdirSync(tree.at('share'))
    const code = `
    import { createRequire } from 'node:module'
    process.chdir(args.project)
    const { openCacheSync } = library
    const { dir, remote } = args
    const cache = openCacheSync({ dir, onWarning, ...(remote && { remote }) })
    const entries = cache.namespace('tool')
    entries.get('key')
    await entries.analyze('text', 'a.js', ctx => ctx.source)
    const loaded = Object.keys(createRequire(import.meta.url).cache).map(file => file.split(/[\\\\/]/).at(-1))
    print(JSON.stringify(loaded.filter(file => /remote/.test(file)).sort()))`
    const url = pathToFileURL(tree.at('share')).href
    const isOption = where === 'options'
    const variables = { WICKED_CACHE_REMOTE: url, WICKED_CACHE_REMOTE_KEYS: publicKey }
    const remote = isOption && { url, ...writer, keys: [publicKey], timeouts: { read: '2s' }, maxObject: '2MB' }
    const loaded = []
    for (let run = 0; run < 2; run++) {
      const env = { ...(isOption ? {} : variables), NODE_OPTIONS: '' }
      const { lines } = await runModule(code, { project: tree.root, dir: tree.at('cache'), remote }, { env })
      loaded.push(JSON.parse(lines[0] ?? ''))
    }
    expect(loaded).toEqual([['remote-file.cjs', 'remote.cjs'], []])
  },
)
