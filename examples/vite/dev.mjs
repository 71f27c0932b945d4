// What a browser does with the dev server: it asks for all modules, and listens for updates while files are edited.

import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'vite'

const server = await createServer({ logLevel: 'silent' })
await server.listen()
const { port } = server.httpServer.address()
const get = async path => (await fetch(`http://localhost:${port}${path}`)).text()

const modules = new Map()
async function load(path) {
  if (modules.has(path)) return
  modules.set(path, undefined)
  const code = await get(path)
  modules.set(path, code)
  const imports = Array.from(code.matchAll(/(?:from|import) ?"(\/src\/[^"]+\.js)"/g), ([, name]) => name)
  await Promise.all(imports.map(load))
}

const socket = new WebSocket(`ws://localhost:${port}/?token=${server.config.webSocketToken}`, 'vite-hmr')
await once(socket, 'message')

/** Saves the file again and again until the browser hears of it: the server may not watch yet. */
async function edit(file, change) {
  const text = readFileSync(file, 'utf8')
  const heard = new Promise(resolve => {
    socket.addEventListener('message', ({ data }) => resolve(JSON.parse(data)))
  })
  let count = 0
  const saves = setInterval(() => writeFileSync(file, change(text) + ' '.repeat(count++)), 200)
  const { type, updates = [] } = await heard
  clearInterval(saves)
  return [type, ...updates.map(({ path }) => path)].join(' ')
}

const files = ['src/text.js', 'banner.txt'].map(file => ({ file, text: readFileSync(file, 'utf8') }))
await load('/src/main.js')
const withBanner = [...modules.values()].filter(code => code.includes('/*! The example'))
console.log(`${modules.size} modules, ${withBanner.length} with the banner`)
console.log(await edit('src/text.js', text => text.replace(' s`', ' seconds`')))
console.log((await get('/src/text.js')).includes('seconds'))
console.log(await edit('banner.txt', () => 'Another banner'))
console.log((await get('/src/main.js')).includes('Another banner'))
for (const { file, text } of files) writeFileSync(file, text)
socket.close()
await server.close()
