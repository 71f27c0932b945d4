// Servers of the HTTP layouts in this process: objects in memory, with what is needed to see how the client behaves.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface MemoryServer {
  url: string
  port: number
  objects: Map<string, Buffer>
  requests: { method: string; path: string; authorization: string | undefined }[]
  /** Open connections so far. */
  connectionCount: number
  /** Answers a request in place of the server, if it returns true. */
  interfere: (request: IncomingMessage, response: ServerResponse) => boolean
  server: Server
}

export async function memoryServer(): Promise<MemoryServer> {
  const objects = new Map<string, Buffer>()
  const server = createServer((request, response) => {
    const { method = '', url: path = '' } = request
    state.requests.push({ method, path, authorization: request.headers.authorization })
    if (state.interfere(request, response)) return
    if (method === 'GET') {
      const found = objects.get(path)
      response.writeHead(found ? 200 : 404).end(found ?? 'not found')
      return
    }
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      objects.set(path, Buffer.concat(chunks))
      response.writeHead(200).end()
    })
  })
  const state: MemoryServer = {
    url: '',
    port: 0,
    objects,
    requests: [],
    connectionCount: 0,
    interfere: () => false,
    server,
  }
  server.on('connection', () => void state.connectionCount++)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  state.port = (server.address() as AddressInfo).port
  state.url = `http://127.0.0.1:${state.port}`
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return state
}
