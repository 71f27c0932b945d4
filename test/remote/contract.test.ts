// The contract of all adapters, each on a real engine.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { KeyvMemcache } from '@keyv/memcache'
import Keyv from 'keyv'
import memoryDriver from 'unstorage/drivers/memory'
import type { RemoteAdapter, RemoteOptions } from '../../src/index.js'
import { createFileAdapter } from '../../src/remote/adapters/file.js'
import { fromKeyv, fromUnstorage } from '../../src/remote/adapters/from-store.js'
import { createHttpAdapter } from '../../src/remote/adapters/http.js'
import { createRedisAdapter } from '../../src/remote/adapters/redis.js'
import { createS3Adapter } from '../../src/remote/adapters/s3.js'
import { type Settings, settingsOf } from '../../src/remote/settings.js'
import { temporaryDirectory } from '../support/caches.js'
import { closed, describeAdapters, type EngineCase, MAX_BYTES } from './contract.js'
import { memcached, nginx, redisServer, startMemcached, startNginx, startRedis } from './engines.js'
import { memoryServer } from './http-servers.js'
import { PATIENT, writer } from './machines.js'

const CREATORS = { file: createFileAdapter, http: createHttpAdapter, redis: createRedisAdapter, s3: createS3Adapter }

function adapterOf(options: RemoteOptions): RemoteAdapter {
  const settings = settingsOf(
    { timeouts: PATIENT, ...writer, maxObject: MAX_BYTES, ...options },
    {},
    undefined,
  ) as Settings
  const { place } = settings
  const create = place && CREATORS[place.kind]
  if (!create) throw new Error('There is no adapter.')
  return closed(create(place, settings))
}

const ENGINES: EngineCase[] = [
  [
    'a directory',
    true,
    async () => {
      const directory = join(temporaryDirectory(), 'a share')
      mkdirSync(directory)
      return adapterOf({ url: pathToFileURL(directory).href })
    },
  ],
  ...(['dav', 'bazel', 'turbo', 'nx'] as const).map(
    layout =>
      [
        `HTTP as ${layout}`,
        true,
        async () => adapterOf({ url: `${layout}+${(await memoryServer()).url}/base`, token: 'token' }),
      ] as EngineCase,
  ),
  ['nginx', nginx !== undefined, async () => adapterOf({ url: (await startNginx()).url })],
  [
    'Redis',
    redisServer !== undefined,
    async () => adapterOf({ url: `redis://127.0.0.1:${(await startRedis()).port}/3` }),
  ],
  ['S3', true, async () => adapterOf({ url: `s3://bucket/a%20prefix?endpoint=${(await memoryServer()).url}` })],
  ['Keyv', true, async () => fromKeyv(new Keyv())],
  [
    'Memcached through Keyv',
    memcached !== undefined,
    async () => closed(fromKeyv(new Keyv({ store: new KeyvMemcache(`127.0.0.1:${await startMemcached()}`) }))),
  ],
  ['unstorage', true, async () => fromUnstorage(memoryDriver())],
]

describeAdapters(ENGINES)
