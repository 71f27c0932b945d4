// Objects on a share that can't be read or stored, while the others can.

import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createFileAdapter } from '../../src/remote/adapters/file.js'
import { type Settings, settingsOf } from '../../src/remote/settings.js'
import { temporaryDirectory } from '../support/caches.js'
import { writer } from './machines.js'

const NAME = `ab${'0'.repeat(62)}`
const OTHER = `cd${'0'.repeat(62)}`
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

test.skipIf(process.platform === 'win32')('directories and files take the mode of the share', async () => {
  const { directory, object, adapter } = share()
  chmodSync(directory, 0o770)
  const before = process.umask(0o077)
  onTestFinished(() => void process.umask(before))
  await adapter.put(NAME, Buffer.from('bytes'), never())
  expect([statSync(join(object, '..')).mode & 0o777, statSync(object).mode & 0o777]).toEqual([0o770, 0o660])
})
