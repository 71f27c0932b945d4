// OpenStack Swift with its S3 interface: four servers on loopback, one device, one replica. It checks signatures itself.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { signedHeaders } from '../../src/remote/adapters/signature.js'
import { temporaryDirectory } from '../support/caches.js'
import { engine, freePort, memcached, programOf, reached } from './engines.js'

export const swift = programOf('swift-proxy-server') && memcached

export const CREDENTIALS = {
  accessKeyId: 'test:tester',
  secretAccessKey: 'testing',
  sessionToken: undefined,
  region: 'us-east-1',
}
/** Its programs look for `swift.conf` in /etc. Debian's packages are for Debian's Python. */
const RUN = `
import sys
from swift.common import utils
utils.set_swift_dir(sys.argv[1])
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[2], sys.argv[3]))`
const KINDS = ['account', 'container', 'object'] as const

/** The endpoint, with an empty bucket. */
export async function startSwift(bucket: string): Promise<string> {
  const directory = temporaryDirectory()
  for (const name of ['devices/d1', 'run']) mkdirSync(join(directory, name), { recursive: true })
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
  const { username } = userInfo()
  const shared = (port: number) =>
    `[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = ${port}\nworkers = 0\nuser = ${username}\nswift_dir = ${directory}\n`
  write('swift.conf', '[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n')
  const servers: [string, number][] = []
  for (const kind of KINDS) {
    const port = await freePort()
    const build = (...args: string[]) =>
      execFileSync('swift-ring-builder', [join(directory, `${kind}.builder`), ...args], { stdio: 'ignore' })
    build('create', '4', '1', '1')
    build('add', `r1z1-127.0.0.1:${port}/d1`, '1')
    build('rebalance')
    const disk = `devices = ${join(directory, 'devices')}\nmount_check = false\nfallocate_reserve = 0\ndisable_fallocate = true\n`
    const app = `[pipeline:main]\npipeline = ${kind}-server\n[app:${kind}-server]\nuse = egg:swift#${kind}\nrecon_cache_path = ${join(directory, 'run')}\n`
    write(`${kind}-server.conf`, shared(port) + disk + app)
    servers.push([`${kind}-server`, port])
  }
  const [port, cachePort] = [await freePort(), await freePort()]
  const filters = {
    'proxy-server': 'use = egg:swift#proxy\naccount_autocreate = true',
    memory: `use = egg:swift#memcache\nmemcache_servers = 127.0.0.1:${cachePort}`,
    s3api: 'use = egg:swift#s3api\nlocation = us-east-1',
    tempauth: 'use = egg:swift#tempauth\nuser_test_tester = testing .admin',
  }
  const sections = Object.entries(filters).map(
    ([name, text]) => `[${name === 'proxy-server' ? 'app' : 'filter'}:${name}]\n${text}\n`,
  )
  write(
    'proxy-server.conf',
    `${shared(port)}[pipeline:main]\npipeline = memory s3api tempauth proxy-server\n${sections.join('')}`,
  )
  servers.push(['proxy-server', port])
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  await reached(cachePort, engine(memcached as string, ['-l', '127.0.0.1', '-p', String(cachePort), ...user]))
  await Promise.all(
    servers.map(([name, at]) => {
      const args = ['-c', RUN, directory, join(directory, `${name}.conf`), name]
      return reached(at, engine('/usr/bin/python3', args))
    }),
  )
  const endpoint = `http://127.0.0.1:${port}`
  const url = new URL(`${endpoint}/${bucket}`)
  const createBucket = () =>
    fetch(url, {
      method: 'PUT',
      headers: signedHeaders(CREDENTIALS, { method: 'PUT', url, body: undefined, now: new Date() }),
    })
  let made = await createBucket()
  // The servers behind the proxy may not answer in time at first.
  for (let attempt = 1; made.status === 503 && attempt < 20; attempt++) {
    await setTimeout(250)
    made = await createBucket()
  }
  // 409: an attempt that was answered with an error has made it.
  if (made.status !== 200 && made.status !== 409)
    throw new Error(`Swift made no bucket: ${made.status} ${await made.text()}`)
  return endpoint
}
