// The built site: its pages, and a server for them.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, sep } from 'node:path'

export const dist = join(import.meta.dirname, '..', 'dist')

/** Paths from the site's root, with `/`. */
export const files: readonly string[] = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .filter(name => statSync(join(dist, name)).isFile())
  .map(name => name.split(sep).join('/'))
  .sort()

export const pages = files.filter(name => name.endsWith('.html'))

export const read = (file: string) => readFileSync(join(dist, file), 'utf8')

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

export interface Server {
  /** Without a slash at the end. */
  origin: string
  close(): Promise<void>
}

/** Serves the site as any server of files does. */
export async function serve(): Promise<Server> {
  const server = createServer(({ url = '/' }, response) => {
    const path = decodeURIComponent(new URL(url, 'http://localhost').pathname).slice(1)
    const file = join(dist, path === '' || path.endsWith('/') ? `${path}index.html` : path)
    if (!file.startsWith(dist) || !existsSync(file)) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
    response.end(readFileSync(file))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise(resolve => server.close(() => resolve())),
  }
}
