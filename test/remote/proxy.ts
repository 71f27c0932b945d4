// A network between a machine and its store: what goes through it is late, and connections are cut.

import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers'
import { onTestFinished } from 'vitest'

export interface ProxyOptions {
  /** Of the store, on loopback. */
  port: number
  /** Each way, in ms. */
  delayMs: number
  /** How many bytes of the store's a connection gives before it is cut; undefined: it isn't. */
  cutAfter?: () => number | undefined
}

export interface Proxy {
  port: number
  cutCount: number
}

export async function startProxy({ port, delayMs, cutAfter }: ProxyOptions): Promise<Proxy> {
  const open = new Set<Socket>()
  const server = createServer(client => {
    const store = connect(port, '127.0.0.1')
    for (const socket of [client, store]) {
      open.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        open.delete(socket)
        delay(() => void (socket === client ? store : client).destroy(), delayMs)
      })
    }
    let left = cutAfter?.() ?? Number.POSITIVE_INFINITY
    client.on('data', chunk => void delay(() => store.write(chunk), delayMs))
    store.on('data', chunk => {
      const given = chunk.subarray(0, left)
      left -= given.length
      delay(() => {
        client.write(given)
        if (left > 0) return
        proxy.cutCount++
        client.resetAndDestroy()
      }, delayMs)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const proxy = { port: (server.address() as AddressInfo).port, cutCount: 0 }
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return proxy
}
