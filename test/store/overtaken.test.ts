// A process that replaces a bucket while faster processes do the same and remove its leftovers.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LogMap } from '../../src/log-map/log-map.js'
import { changeOf } from '../../src/log-map/record.js'
import { filesBelow } from '../support/caches.js'
import { interceptedFiles } from '../support/files.js'
import { newEnvironment, temporaryDirectory } from './environment.js'

const positionOf = (key: string) => ({ hash: Math.imul(Number(key), 2654435761) >>> 0, tag: 7 })
const put = (key: string) => changeOf('put', positionOf(key), Buffer.from(key), Buffer.from('value'))
const KEYS = Array.from({ length: 200 }, (_, n) => String(n))

function openMap(path: string, environment = newEnvironment()): LogMap {
  return new LogMap(environment, path, 'some/map', key => positionOf(key.toString()), 4096)
}

const values = (map: LogMap) => KEYS.map(key => map.get(positionOf(key), Buffer.from(key))?.kind)
const ALL_THERE = KEYS.map(() => 'put')

/** Files of a process that others overtake at each call of this name for a candidate: they finish, and remove what it has begun. */
function overtakenFiles(path: string, name: string) {
  let count = 0
  let isBusy = false
  const files = interceptedFiles(call => {
    const isCandidate = call.name === name && 'path' in call && String(call.path).endsWith('.new')
    if (isCandidate && !isBusy && count < 5) {
      isBusy = true
      count++
      const other = openMap(path)
      other.get(positionOf('1'), Buffer.from('1'))
      other.removeLeftovers()
      other.close()
      isBusy = false
    }
    return call.proceed()
  })
  return { files, count: () => count }
}

test.each(['open', 'linkStat', 'append', 'sync'])(
  'a set succeeds when others replace its bucket just before its own replacement reaches %s',
  name => {
    const path = join(temporaryDirectory(), 'map')
    const { files, count } = overtakenFiles(path, name)
    const map = openMap(path, newEnvironment({ files }))
    for (const key of KEYS) expect(map.write([put(key)])).toEqual([true])
    expect(count()).toBeGreaterThan(0)
    expect(values(openMap(path))).toEqual(ALL_THERE)
  },
)

test.each(['open', 'linkStat', 'append', 'sync', 'link'])(
  'a process that rebuilds lost buckets uses those of others if its own are removed before %s',
  name => {
    const path = join(temporaryDirectory(), 'map')
    const dying = interceptedFiles(call => {
      if (call.name === 'rename') throw new Error('killed')
      return call.proceed()
    })
    const set = (map: LogMap) => KEYS.map(key => map.write([put(key)])[0])
    expect(() => set(openMap(path, newEnvironment({ files: dying })))).toThrow('killed')
    for (const file of filesBelow(path)) if (file.endsWith('.new')) rmSync(join(path, file))
    const { files, count } = overtakenFiles(path, name)
    expect(set(openMap(path, newEnvironment({ files })))).toEqual(KEYS.map(() => true))
    expect(count()).toBeGreaterThan(0)
    expect(values(openMap(path))).toEqual(ALL_THERE)
  },
)
