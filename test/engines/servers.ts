// PostgreSQL of Debian, and the server of Turborepo's cache that many teams run, each in a directory of its own on loopback.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import KeyvPostgres from '@keyv/postgres'
import Keyv from 'keyv'
import { onTestFinished } from 'vitest'
import { fromKeyv } from '../../src/index.js'
import { engine, freePort, programOf, reached } from '../remote/engines.js'
import { temporaryDirectory } from '../support/caches.js'

export const postgres = programOf('postgres', programsOfDebian())

/** Debian has no PostgreSQL on the path. */
function programsOfDebian(): string[] {
  try {
    return readdirSync('/usr/lib/postgresql').map(version => `/usr/lib/postgresql/${version}/bin`)
  } catch {
    return []
  }
}

export interface Postgres {
  url: string
  port: number
  child: ChildProcess
}

/** As a user that is not root, whom it refuses. Only the test's own process can reach it by its password. */
export async function startPostgres(): Promise<Postgres> {
  const data = join(temporaryDirectory(), 'data')
  const user = process.getuid?.() === 0 ? userIds('nobody') : undefined
  const owner = user ?? {}
  mkdirSync(data, { mode: 0o700 })
  if (user) {
    execFileSync('chmod', ['755', join(data, '..')])
    chownSync(data, user.uid, user.gid)
  }
  const initdb = join(postgres as string, '..', 'initdb')
  const options = ['-D', data, '-U', 'team', '--auth=trust', '--no-sync', '--no-locale', '-E', 'UTF8']
  execFileSync(initdb, options, { ...owner, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] })
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'max_connections=40']
  const args = ['-D', data, '-p', String(port), ...settings.flatMap(each => ['-c', each])]
  const child = spawn(postgres as string, args, { ...owner, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => {
    child.kill('SIGCONT')
    // At once: it ends its own processes.
    child.kill('SIGQUIT')
  })
  const url = `postgresql://team@127.0.0.1:${port}/postgres`
  await reached(port, child)
  await ready(url)
  return { url, port, child }
}

/** It listens before it answers. */
async function ready(uri: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const keyv = keyvOf(uri)
    try {
      await keyv.store.query('SELECT 1')
      return
    } catch (error) {
      if (attempt > 500) throw error
      await new Promise(resolve => setTimeout(resolve, 20))
    } finally {
      await keyv.disconnect()
    }
  }
}

let keyvCount = 0

/** Its instances of one URL share a pool of connections, which the first that disconnects ends. */
function keyvOf(url: string) {
  const uri = `${url}?application_name=test${keyvCount++}`
  const keyv = new Keyv({ store: new KeyvPostgres({ uri, max: 4 }) })
  keyv.on('error', () => undefined)
  return keyv
}

export const postgresAdapter = (url: string) => fromKeyv(keyvOf(url))

function userIds(name: string): { uid: number; gid: number } {
  const id = (what: string) => Number(execFileSync('id', [what, name], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** Its URL as `WICKED_CACHE_REMOTE` has it, and what it is started with as a token. */
export async function startTurborepo(env: Record<string, string> = {}): Promise<{ url: string; token: string }> {
  const port = await freePort()
  const token = 'team-token'
  const cli = join(import.meta.dirname, 'node_modules/turborepo-remote-cache/dist/cli.js')
  const child = engine(process.execPath, [cli], {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    TURBO_TOKEN: token,
    STORAGE_PROVIDER: 'local',
    STORAGE_PATH: temporaryDirectory(),
    STORAGE_PATH_USE_TMP_FOLDER: 'false',
    LOG_LEVEL: 'fatal',
    ...env,
  })
  await reached(port, child)
  return { url: `turbo+http://127.0.0.1:${port}/?teamId=team`, token }
}
