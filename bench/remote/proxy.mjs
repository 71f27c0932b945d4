// Delays what goes through it: node proxy.mjs TO-PORT MS-EACH-WAY. Prints its port. Without a port: takes connections and says
// nothing, or with a time answers each request after it with 404.

import { createServer as createHttpServer } from 'node:http'
import { connect, createServer } from 'node:net'

const [port = 0, delayMs = 0] = process.argv.slice(2).map(Number)

function proxy() {
  return createServer(client => {
    const store = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [client, store],
      [store, client],
    ]) {
      from?.setNoDelay(true)
      from?.on('data', chunk => (delayMs === 0 ? to?.write(chunk) : setTimeout(() => to?.write(chunk), delayMs)))
      from?.on('error', () => undefined)
      from?.on('close', () => setTimeout(() => to?.destroy(), delayMs))
    }
  })
}

function slow() {
  return delayMs === 0
    ? createServer(socket => void socket.on('error', () => undefined))
    : createHttpServer((_, response) => void setTimeout(() => response.writeHead(404).end(), delayMs))
}

const server = port > 0 ? proxy() : slow()
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object') console.log(address?.port)
})
