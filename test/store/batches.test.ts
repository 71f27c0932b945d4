// Batches into a new map: which files they open, and what happens if the root is replaced between two of their changes.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Descriptors } from '../../src/files/descriptors.js'
import { nodeFiles } from '../../src/files/files.js'
import { Tick } from '../../src/log/environment.js'
import { LogMap } from '../../src/log-map/log-map.js'
import { changeOf } from '../../src/log-map/record.js'
import { openAsAnotherProcess, temporaryRoot } from '../support/caches.js'
import { newEnvironment, temporaryDirectory } from './environment.js'

const positionOf = (key: string) => ({ hash: Math.imul(Number(key), 2654435761) >>> 0, tag: 7 })
const put = (key: string) => changeOf('put', positionOf(key), Buffer.from(key), Buffer.from('value'))
const KEYS = Array.from({ length: 50 }, (_, n) => String(n))

test.each([1, 2, 3, 4, 5])('a batch is fully written and leaves no file open if the map is closed at lookup %i', at => {
  const path = join(temporaryDirectory(), 'map')
  const open = new Set<number>()
  const files = {
    ...nodeFiles,
    open(...given: Parameters<typeof nodeFiles.open>) {
      const fd = nodeFiles.open(...given)
      open.add(fd)
      return fd
    },
    close(fd: number) {
      open.delete(fd)
      nodeFiles.close(fd)
    },
  }
  let asked = 0
  const tick = new Tick()
  const environment = newEnvironment({ files, descriptors: new Descriptors(files), tick })
  const map = new LogMap(environment, path, 'some/map', key => positionOf(key.toString()))
  const current = tick.current.bind(tick)
  tick.current = () => {
    if (++asked === at) map.close()
    return current()
  }
  map.write(KEYS.map(put))
  expect(asked).toBeGreaterThanOrEqual(at)
  expect(KEYS.filter(key => map.get(positionOf(key), Buffer.from(key))?.kind !== 'put')).toEqual([])
  map.close()
  expect(open.size).toBe(0)
})

test('a batch of any length opens the seed file only a few times', () => {
  let opened = 0
  const files = {
    ...nodeFiles,
    open(...given: Parameters<typeof nodeFiles.open>) {
      if (given[0].endsWith('seed')) opened++
      return nodeFiles.open(...given)
    },
  }
  const { cache } = openAsAnotherProcess(temporaryRoot(), {}, { files })
  expect(cache.namespace('ns', { project: false }).setMany(KEYS.map(key => ({ key, value: key })))).toBe(KEYS.length)
  expect(opened).toBeLessThan(10)
})

test('the reason of a removal survives a rewrite of its bucket', () => {
  const path = temporaryDirectory()
  const map = new LogMap(newEnvironment(), path, 'some/map', key => positionOf(key.toString()), 4096)
  map.write(KEYS.slice(0, 30).map(put))
  const remove = (key: string) => changeOf('remove', positionOf(key), Buffer.from(key), Buffer.from(`why ${key}`))
  for (let i = 0; i < 30; i++) map.write([put('40')])
  for (const key of KEYS.slice(0, 30)) map.write([remove(key)])
  // Until it is full, once.
  for (let i = 0; i < 40; i++) map.write([put('40')])
  expect(readdirSync(path)).toEqual(['_.1'])
  const found = KEYS.slice(20, 30).map(key => map.get(positionOf(key), Buffer.from(key))?.value.toString())
  expect(found).toEqual(KEYS.slice(20, 30).map(key => `why ${key}`))
})
