// A small log map, whose keys and values are text.

import type { Environment } from '../../src/log/environment.js'
import { LogMap } from '../../src/log-map/log-map.js'
import { type Change, changeOf, NO_RECORD } from '../../src/log-map/record.js'
import { newEnvironment, randomOf } from './environment.js'

/** Small, so that a few dozen records make it split. */
export const BUCKET_BYTES = 2048

export function positionOf(key: string) {
  const random = randomOf([...key].reduce((hash, char) => (Math.imul(hash, 31) + char.charCodeAt(0)) >>> 0, 7))
  return { hash: random(0x10000) * 0x10000 + random(0x10000), tag: random(0x10000) }
}

export function put(key: string, value: string, expected?: number): Change {
  return changeOf('put', positionOf(key), Buffer.from(key), Buffer.from(value), expected)
}

export function remove(key: string): Change {
  return changeOf('remove', positionOf(key), Buffer.from(key), Buffer.from('why'))
}

export function openMap(path: string, environment: Environment = newEnvironment()) {
  const map = new LogMap(environment, path, 'some/map', key => positionOf(key.toString()), BUCKET_BYTES)
  return {
    map,
    environment,
    set: (key: string, value: string) => map.write([put(key, value)]),
    remove: (key: string) => map.write([remove(key)]),
    get: (key: string) => {
      const found = map.get(positionOf(key), Buffer.from(key))
      return found?.kind === 'put' ? found.value.toString() : undefined
    },
    check: (key: string) => map.get(positionOf(key), Buffer.from(key))?.check ?? NO_RECORD,
    all: () => new Map([...map.records()].map(({ key, value }) => [key.toString(), value.toString()])),
  }
}
