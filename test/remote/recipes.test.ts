// The CI recipes of docs/remote.md, run as in a CI: a build of main, then a pull request on another machine. The store and the
// artefact storage are servers in this process.

import { execFile } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { builtCli } from '../serve/client.js'
import { temporaryDirectory } from '../support/caches.js'
import { libraryUrl } from '../support/children.js'
import { blocksOf, documents, read } from '../support/documents.js'
import { memoryServer } from './http-servers.js'
import { keys, PATIENT } from './machines.js'

const run = promisify(execFile)
/** A bundle is five builds of several processes each. */
const TIMEOUT_MS = 240_000
const TOKEN = 'token-of-the-store'
const FILES = { 'a.js': 'let a', 'b.js': 'let b' }
const [, section = ''] = read('docs/remote.md').split('\n## Recipes for CI\n')
const recipes = blocksOf('docs/remote.md', section).filter(({ language }) => ['yaml', 'text'].includes(language))

type Environment = Record<string, string>

interface Step {
  /** A command of the shell, or what CI itself does. */
  run: string | (() => void)
  env?: Environment
}

/** A checkout on a machine of its own. Its tools are there; lint prints how many files it has computed. */
class Runner {
  readonly checkout: string
  readonly #env: Environment

  constructor(files: Record<string, string>) {
    const home = temporaryDirectory()
    this.checkout = join(home, 'builds', 'checkout')
    const [bin, dir] = [join(home, 'bin'), join(home, 'cache')]
    for (const path of [this.checkout, bin, dir]) mkdirSync(path, { recursive: true })
    const tools = {
      npm: 'case "$*" in ci) exit 0;; "run lint") exec "$NODE" lint.mjs;; esac\nexit 64',
      npx: '[ "$1" = wicked-cache ] || exit 64\nshift\nexec "$NODE" "$CLI" "$@"',
    }
    for (const [name, text] of Object.entries(tools)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`)
      chmodSync(join(bin, name), 0o755)
    }
    const lint = `
      import { namespace } from ${JSON.stringify(libraryUrl)}
      const files = ${JSON.stringify(Object.keys(files))}
      const lines = await namespace('lint', { version: '1' })
      let count = 0
      for (const file of files) await lines.analyze('lines', file, ctx => { count++; return ctx.source.split('\\n').length })
      console.log('computed ' + count)`
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ remote: { timeouts: PATIENT } }))
    for (const [name, text] of Object.entries({ 'package.json': '{}', 'lint.mjs': lint, ...files }))
      writeFileSync(join(this.checkout, name), text)
    const path = [bin, process.env.PATH].join(delimiter)
    this.#env = { PATH: path, HOME: home, WICKED_CACHE_DIR: dir, NODE: process.execPath, CLI: builtCli }
  }

  /** How many files were computed. A step that fails ends the job. */
  async job(steps: readonly Step[]): Promise<number> {
    let output = ''
    for (const { run: command, env } of steps) {
      if (typeof command === 'function') command()
      else {
        const options = { cwd: this.checkout, env: { ...this.#env, ...env } }
        output += (await run('bash', ['-e', '-o', 'pipefail', '-c', command], options)).stdout
      }
    }
    return Number(/^computed (\d+)$/m.exec(output)?.[1])
  }
}

/** What is known to a build of main, or of a pull request of a fork. */
const isMain = { main: true, pull: false }
type Build = keyof typeof isMain

/** A step of a job of GitHub; `kept` is what its cache holds. */
interface GitHubStep {
  uses?: string
  run?: string
  if?: string
  with?: Environment
  env?: Environment
}

function gitHubSteps(text: string, build: Build, checkout: string, kept: string): Step[] {
  const { jobs, on } = parse(text)
  expect(on).toEqual({ push: { branches: ['main'] }, pull_request: {} })
  const secrets = { CACHE_TOKEN: TOKEN, CACHE_SIGNING_KEY: keys.signingKey }
  const context = {
    github: { ref: isMain[build] ? 'refs/heads/main' : 'refs/pull/7/merge', sha: `sha-${build}` },
    vars: { CACHE_PUBLIC_KEY: keys.publicKey },
    secrets: isMain[build] ? secrets : {},
  }
  // What is used of GitHub's expressions means the same in JavaScript.
  const resultOf = (expression: string) =>
    new Function(...Object.keys(context), `return ${expression}`)(...Object.values(context)) ?? ''
  const filled = (value = '') => value.replace(/\$\{\{(.*?)\}\}/g, (_, expression) => String(resultOf(expression)))
  const all = (env: Environment = {}) =>
    Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filled(value)]))
  const { steps, env } = jobs.lint as { steps: GitHubStep[]; env: Environment }
  return steps
    .filter(step => step.if === undefined || resultOf(step.if))
    .map(step => {
      const { path = '', key } = all(step.with)
      const [file, action] = [join(checkout, path), step.uses?.replace(/@v\d+$/, '')]
      if (action === 'actions/checkout') return { run: () => undefined }
      if (action === 'actions/cache/restore') return { run: () => existsSync(kept) && copyFileSync(kept, file) }
      if (action === 'actions/cache/save') {
        expect(key).toBe(`wicked-cache-sha-${build}`)
        return { run: () => copyFileSync(file, kept) }
      }
      expect(step.uses).toBeUndefined()
      return { run: step.run ?? '', env: { ...all(env), ...all(step.env) } }
    })
}

function gitLabSteps(text: string, build: Build, checkout: string, kept: string, api = ''): Step[] {
  const { lint } = parse(text) as {
    lint: { variables: Environment; script: string[]; artifacts?: { paths: string[] } }
  }
  const secrets = { WICKED_CACHE_REMOTE_SIGNING_KEY: keys.signingKey, WICKED_CACHE_REMOTE_TOKEN: TOKEN }
  const own: Environment = {
    CI_API_V4_URL: api,
    CI_PROJECT_ID: '7',
    CI_JOB_TOKEN: 'token-of-the-job',
    ...(isMain[build] && { CI_COMMIT_BRANCH: 'main', ...secrets }),
  }
  const expanded = Object.entries(lint.variables).map(([name, value]) => [
    name,
    value.replace(/\$(\w+)/g, (_, each) => own[each] ?? ''),
  ])
  const script = { run: lint.script.join('\n'), env: { ...own, ...Object.fromEntries(expanded) } }
  const keep = () => {
    for (const path of lint.artifacts?.paths ?? []) if (isMain[build]) copyFileSync(join(checkout, path), kept)
  }
  return [script, { run: keep }]
}

function jenkinsSteps(text: string, build: Build): Step[] {
  const [, environment = ''] = /environment \{([^}]*)\}/.exec(text) ?? []
  const [, before = '', main = '', others = ''] =
    /steps \{([\s\S]*)script \{\s*if \(env\.BRANCH_NAME == 'main'\) \{([\s\S]*)\} else \{(.*)\}/.exec(text) ?? []
  const env = Object.fromEntries(
    Array.from(environment.matchAll(/(\w+) = '(.*)'/g), ([, name, value]) => [name, value]),
  )
  const secrets: Environment = { 'cache-signing-key': keys.signingKey, 'cache-token': TOKEN }
  const chosen = isMain[build] ? main : others
  for (const [, id = '', name = ''] of chosen.matchAll(/credentialsId: '(.+?)', variable: '(.+?)'/g))
    env[name] = secrets[id]
  for (const [, name = '', value] of chosen.matchAll(/withEnv\(\['(\w+)=(.*?)'\]\)/g)) env[name] = value
  return Array.from((before + chosen).matchAll(/\bsh '(.+?)'/g), ([, command = '']) => ({ run: command, env }))
}

function stepsOf(text: string, build: Build, checkout: string, kept: string, api?: string): Step[] {
  if (text.startsWith('on:')) return gitHubSteps(text, build, checkout, kept)
  if (text.startsWith('pipeline {')) return jenkinsSteps(text, build)
  return gitLabSteps(text, build, checkout, kept, api)
}

const systemOf = (text: string) =>
  text.startsWith('on:') ? 'GitHub' : text.startsWith('pipeline {') ? 'Jenkins' : 'GitLab'
const withStore = recipes.filter(({ text }) => text.includes('WICKED_CACHE_REMOTE_MODE'))
const withBundle = recipes.filter(({ text }) => text.includes('--bundle'))
const named = (blocks: typeof recipes) => blocks.map(({ text }) => [systemOf(text), text] as const)
const made = (text: string) => text.replace('wicked-cache-public:…', keys.publicKey)

test('each recipe is run', () => {
  expect(named(withStore).map(([name]) => name)).toEqual(['GitHub', 'GitLab', 'Jenkins'])
  expect(named(withBundle).map(([name]) => name)).toEqual(['GitHub', 'GitLab'])
  expect(recipes).toHaveLength(5)
})

test('every YAML block in the documentation parses', () => {
  const blocks = documents.flatMap(file => blocksOf(file, read(file))).filter(({ language }) => language === 'yaml')
  expect(blocks.length).toBeGreaterThan(4)
  for (const { text } of blocks) expect(Object.keys(parse(text)).length).toBeGreaterThan(0)
})

test.each(named(withStore))(
  '%s: builds of main fill a store that pull requests read',
  async (_, recipe) => {
    const server = await memoryServer()
    server.interfere = ({ method, headers }, response) => {
      const isRefused = method === 'PUT' && headers.authorization !== `Bearer ${TOKEN}`
      if (isRefused) response.writeHead(403).end()
      return isRefused
    }
    expect(recipe).toContain('https://cache.example.com/team')
    const text = made(recipe).replace('https://cache.example.com/team', `${server.url}/team`)
    const computed = async (build: Build, files: Record<string, string>) => {
      const runner = new Runner(files)
      server.requests.length = 0
      const count = await runner.job(stepsOf(text, build, runner.checkout, ''))
      return [count, server.requests.filter(({ method }) => method === 'PUT').length]
    }
    expect(await computed('main', FILES)).toEqual([2, 2])
    expect([...server.objects.keys()].every(path => path.startsWith('/team/'))).toBe(true)
    expect(await computed('pull', FILES)).toEqual([0, 0])
    expect(server.requests.map(({ authorization }) => authorization).filter(Boolean)).toEqual([])
    expect(await computed('pull', { ...FILES, 'b.js': 'let changed' })).toEqual([1, 0])
    expect(await computed('main', { ...FILES, 'b.js': 'let changed' })).toEqual([1, 1])
  },
  TIMEOUT_MS,
)

/** Gives the artefact to a job of the project. */
async function artifacts(kept: string): Promise<string> {
  const server = createServer(({ url, headers }, response) => {
    const isAsked = url === '/projects/7/jobs/artifacts/main/raw/cache.bundle?job=lint'
    const isThere = isAsked && headers['job-token'] === 'token-of-the-job' && existsSync(kept)
    response.writeHead(isThere ? 200 : 404).end(isThere ? readFileSync(kept) : '')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test.each(named(withBundle))(
  '%s: builds of main keep a bundle that pull requests read',
  async (_, recipe) => {
    const kept = join(temporaryDirectory(), 'kept.bundle')
    const api = await artifacts(kept)
    const computed = async (build: Build, files: Record<string, string>) => {
      const runner = new Runner(files)
      return runner.job(stepsOf(made(recipe), build, runner.checkout, kept, api))
    }
    expect(await computed('main', FILES)).toBe(2)
    const bundle = readFileSync(kept)
    expect(await computed('pull', FILES)).toBe(0)
    expect(await computed('pull', { ...FILES, 'b.js': 'let changed' })).toBe(1)
    expect(readFileSync(kept).equals(bundle)).toBe(true)
    expect(await computed('main', { ...FILES, 'b.js': 'let changed' })).toBe(1)
    expect(await computed('pull', { ...FILES, 'b.js': 'let changed' })).toBe(0)
  },
  TIMEOUT_MS,
)
