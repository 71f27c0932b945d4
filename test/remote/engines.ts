// Real engines on loopback, in directories of their own, stopped by their process when the test ends.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from '../support/caches.js'

/** The program if there is one, also in further directories. Where it is required, its absence is a failure; else its tests say so and are skipped. */
export function programOf(name: string, directories: readonly string[] = []): string | undefined {
  const path = [process.env.PATH, '/usr/sbin', '/usr/local/sbin', '/sbin', ...directories].join(':')
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`], {
      env: { ...process.env, PATH: path },
      encoding: 'utf8',
    }).trim()
  } catch {
    if (process.env.WICKED_CACHE_ENGINES === 'required') throw new Error(`${name} is required and not installed.`)
    process.stdout.write(`Skipped: ${name} is not installed.\n`)
    return undefined
  }
}

export function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

/** Resolves once something listens. */
export async function reached(port: number, child: ChildProcess): Promise<void> {
  let output = ''
  child.stderr?.on('data', chunk => {
    output += chunk
  })
  for (;;) {
    const isOpen = await new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (isOpen) return
    if (child.exitCode !== null) throw new Error(`An engine has ended: ${output}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

export function engine(program: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } })
  onTestFinished(() => {
    child.kill('SIGCONT')
    child.kill('SIGKILL')
  })
  return child
}

export const redisServer = programOf('redis-server')
export const nginx = programOf('nginx')
export const memcached = programOf('memcached')

export interface Redis {
  port: number
  tlsPort: number
  child: ChildProcess
  certificate: string
}

/** With a password, users of `users`, and TLS where asked for. */
export async function startRedis(lines: readonly string[] = [], withTls = false): Promise<Redis> {
  const directory = temporaryDirectory()
  const port = await freePort()
  const tlsPort = withTls ? await freePort() : 0
  const certificate = join(directory, 'certificate.pem')
  if (withTls) makeCertificate(directory)
  const config = [
    `port ${port}`,
    'bind 127.0.0.1',
    'save ""',
    'appendonly no',
    `dir ${directory}`,
    ...(withTls
      ? [
          `tls-port ${tlsPort}`,
          `tls-cert-file ${certificate}`,
          `tls-key-file ${join(directory, 'key.pem')}`,
          'tls-auth-clients no',
        ]
      : []),
    ...lines,
  ]
  writeFileSync(join(directory, 'redis.conf'), `${config.join('\n')}\n`)
  const child = engine(redisServer as string, [join(directory, 'redis.conf')])
  await reached(port, child)
  return { port, tlsPort, child, certificate }
}

export function makeCertificate(directory: string): void {
  const out = ['-keyout', join(directory, 'key.pem'), '-out', join(directory, 'certificate.pem')]
  const what = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  execFileSync('openssl', [...how, ...what, ...out], { stdio: 'ignore' })
}

/** WebDAV with a user on one port, and reading alone on another. */
export async function startNginx(password = 'secret') {
  const directory = temporaryDirectory()
  const [port, readPort] = [await freePort(), await freePort()]
  for (const name of ['data', 'temporary', 'body']) mkdirSync(join(directory, name))
  // A master that runs as root has workers of another user.
  for (const name of ['.', 'data', 'temporary', 'body']) chmodSync(join(directory, name), 0o777)
  writeFileSync(join(directory, 'users'), `ci:{PLAIN}${password}\n`)
  const shared = `root ${join(directory, 'data')}; client_max_body_size 512k;`
  const temporary = ['proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    name => `${name}_temp_path ${join(directory, 'temporary', name)};`,
  )
  const config = `
    daemon off; master_process off; pid ${join(directory, 'pid')}; error_log stderr crit;
    events { worker_connections 512; }
    http {
      access_log off; client_body_temp_path ${join(directory, 'body')}; ${temporary.join(' ')}
      server {
        listen 127.0.0.1:${port}; ${shared}
        auth_basic cache; auth_basic_user_file ${join(directory, 'users')};
        location / { dav_methods PUT MKCOL; create_full_put_path on; dav_access all:rw; }
      }
      server { listen 127.0.0.1:${readPort}; ${shared} location / { limit_except GET { deny all; } } }
    }`
  writeFileSync(join(directory, 'nginx.conf'), config)
  const child = engine(nginx as string, ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', 'stderr'])
  await reached(port, child)
  return { port, readPort, url: `http://ci:${password}@127.0.0.1:${port}/cache`, child }
}

export async function startMemcached(megabytes = 64): Promise<number> {
  const port = await freePort()
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  await reached(
    port,
    engine(memcached as string, ['-l', '127.0.0.1', '-p', String(port), '-I', '4m', '-m', String(megabytes), ...user]),
  )
  return port
}
