// Objects on a share that can't be read or stored, while the others can.

import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createFileAdapter } from '../../src/remote/adapters/file.js'
import { type Settings, settingsOf } from '../../src/remote/settings.js'
import { temporaryDirectory } from '../support/caches.js'
import { runModule } from '../support/children.js'
import { PATIENT, writer } from './machines.js'

const NAME = `ab${'0'.repeat(62)}`
const OTHER = `cd${'0'.repeat(62)}`
/** A user without rights. */
const NOBODY = 65_534
const never = () => new AbortController().signal

function share() {
  const directory = join(temporaryDirectory(), 'share')
  mkdirSync(directory)
  const settings = settingsOf({ url: pathToFileURL(directory).href, ...writer }, {}, undefined) as Settings
  const adapter = createFileAdapter(settings.place as NonNullable<Settings['place']>, settings)
  onTestFinished(() => adapter.close())
  return { directory, object: join(directory, NAME.slice(0, 2), NAME.slice(2)), adapter }
}

const OBSTACLES: [string, (object: string) => Promise<void> | void][] = [
  ['a directory', object => mkdirSync(join(object, 'full'), { recursive: true })],
  [
    'a dangling link',
    object => {
      mkdirSync(join(object, '..'))
      symlinkSync('nowhere', object)
    },
  ],
  [
    'a socket',
    async object => {
      mkdirSync(join(object, '..'))
      const server = createServer().listen(object)
      await new Promise(resolve => server.once('listening', resolve))
      onTestFinished(() => void server.close())
    },
  ],
  ['a file in place of its directory', object => writeFileSync(join(object, '..'), '')],
]

test.each(OBSTACLES)('%s in place of an object is a miss, and does not affect other objects', async (_, obstruct) => {
  const { directory, object, adapter } = share()
  await obstruct(object)
  await adapter.put(OTHER, Buffer.from('other'), never())
  const [missing, found] = await adapter.getMany([NAME, OTHER], never())
  expect([missing, Buffer.from(found ?? []).toString()]).toEqual([undefined, 'other'])
  // Some obstacles are replaced. Otherwise only this object is refused.
  await adapter
    .put(NAME, Buffer.from('bytes'), never())
    .catch(error => expect(error).toMatchObject({ kind: 'refused' }))
  const left = readdirSync(directory, { recursive: true }).filter(name => String(name).endsWith('.new'))
  expect(left).toEqual([])
})

test.each(['missing', 'a file'])('a share that is %s later is down, not read-only or empty', async what => {
  const { directory, adapter } = share()
  await adapter.put(NAME, Buffer.from('bytes'), never())
  rmSync(directory, { recursive: true })
  if (what === 'a file') {
    writeFileSync(directory, '')
    await expect(adapter.getMany([NAME], never())).rejects.toMatchObject({ kind: 'down' })
  }
  await expect(adapter.put(OTHER, Buffer.from('other'), never())).rejects.toMatchObject({ kind: 'down' })
})

// Only root can become another user.
test.skipIf(process.getuid?.() !== 0).each([
  ['a prefix directory that another user owns', 0o777, true],
  ['a share that another user owns', 0o755, false],
])('%s: whether the store can be written afterwards', async (_, mode, canWrite) => {
  const { directory } = share()
  const own = temporaryDirectory()
  for (let at = 0; at < 256; at++) mkdirSync(join(directory, at.toString(16).padStart(2, '0')))
  chmodSync(directory, mode)
  chmodSync(join(directory, '..'), 0o755)
  chownSync(own, NOBODY, NOBODY)
  writeFileSync(join(own, 'package.json'), '{}')
  writeFileSync(join(own, 'a.js'), 'a')
  const code = `
    process.setgid(${NOBODY})
    process.setuid(${NOBODY})
    const cache = library.openCacheSync({ dir: args.own + '/cache', onWarning, remote: args.remote })
    const entries = cache.namespace('n', { project: args.own, portable: true })
    await entries.analyze('text', args.own + '/a.js', ctx => ctx.source)
    await cache.remote.flush()
    const { canWrite, problem } = await cache.remote.status()
    const { breaker, dropped, uploads } = cache.remote.stats()
    await cache.close()
    print(JSON.stringify({ canWrite, problem, breaker, dropped, uploads }))`
  const remote = { url: pathToFileURL(directory).href, timeouts: PATIENT, ...writer }
  const { lines, stderr } = await runModule(code, { own, remote })
  expect(JSON.parse(lines[0] ?? stderr)).toEqual({ canWrite, breaker: 'closed', dropped: 1, uploads: 0 })
})

test.skipIf(process.platform === 'win32')('directories and files take the mode of the share', async () => {
  const { directory, object, adapter } = share()
  chmodSync(directory, 0o770)
  const before = process.umask(0o077)
  onTestFinished(() => void process.umask(before))
  await adapter.put(NAME, Buffer.from('bytes'), never())
  expect([statSync(join(object, '..')).mode & 0o777, statSync(object).mode & 0o777]).toEqual([0o770, 0o660])
})
