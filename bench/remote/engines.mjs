// Stores on loopback, ended with the process. Without a program for one, it is left out.

import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

/** @type {import('node:child_process').ChildProcess[]} */
const children = []
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** @param {string} program @param {string[]} args */
export function started(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  children.push(child)
  return child
}

/** @param {string} program */
export function isInstalled(program) {
  try {
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore', env })
    return true
  } catch {
    return false
  }
}

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** @param {number} port */
async function reached(port) {
  for (;;) {
    const isOpen = await new Promise(resolve => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (isOpen) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** @param {string} directory */
export async function startRedis(directory) {
  const port = await freePort()
  started('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', directory])
  await reached(port)
  return port
}

/** WebDAV that anybody may write to. @param {string} directory */
export async function startNginx(directory) {
  const port = await freePort()
  for (const name of ['data', 'body', 'other']) mkdirSync(join(directory, name))
  for (const name of ['.', 'data', 'body', 'other']) chmodSync(join(directory, name), 0o777)
  const others = ['proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${directory}/other/${name};`)
  const config = `
    daemon off; master_process off; pid ${directory}/pid; error_log stderr crit;
    events { worker_connections 512; }
    http {
      access_log off; client_body_temp_path ${directory}/body; ${others.join(' ')}
      server {
        listen 127.0.0.1:${port}; root ${directory}/data; client_max_body_size 4m;
        location / { dav_methods PUT MKCOL; create_full_put_path on; dav_access all:rw; }
      }
    }`
  writeFileSync(join(directory, 'nginx.conf'), config)
  const path = isInstalled('/usr/sbin/nginx') ? '/usr/sbin/nginx' : 'nginx'
  started(path, ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', 'stderr'])
  await reached(port)
  return port
}

/** @param {number} port 0: a silent or slow server @param {number} delayMs @returns {Promise<number>} */
export function startProxy(port, delayMs) {
  const child = started(process.execPath, [join(import.meta.dirname, 'proxy.mjs'), `${port}`, `${delayMs}`])
  return new Promise(resolve => child.stdout?.once('data', chunk => resolve(Number(String(chunk)))))
}
