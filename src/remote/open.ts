// Opens the tier that is configured.

import { createHash } from 'node:crypto'
import type { RemoteAdapter, RemoteOptions } from '../api/index.js'
import { CacheError } from '../base/errors.js'
import type { Files } from '../files/files.js'
import { createFileAdapter } from './adapters/file.js'
import { createHttpAdapter } from './adapters/http.js'
import { createRedisAdapter } from './adapters/redis.js'
import { createS3Adapter } from './adapters/s3.js'
import { Breaker } from './breaker.js'
import { RemoteFailure } from './failure.js'
import { shown } from './place.js'
import { type Settings, settingsOf } from './settings.js'
import { openStore } from './shared-store.js'
import { RemoteTier } from './tier.js'

export interface RemoteMeans {
  options: RemoteOptions | undefined
  /** The text of `config.json`. */
  configuration: string | undefined
  files: Files
  /** The cache's directory. */
  root: string
  /** The directory with one file for each store that failed recently. */
  directory: string
  canWrite(): boolean
  report(error: CacheError): void
}

/** Undefined if no remote is configured, or its settings are invalid, which is reported. */
export function openRemote(means: RemoteMeans): RemoteTier | undefined {
  const { options, configuration, files, root, directory, canWrite, report } = means
  let settings: Settings | undefined
  try {
    settings = settingsOf(options, process.env, configuration)
  } catch (error) {
    if (!(error instanceof CacheError)) throw error
    report(error)
    return undefined
  }
  if (!settings) return undefined
  const { place } = settings
  const id = createHash('sha256')
    .update(place ? shown(place) : 'adapter')
    .digest('hex')
    .slice(0, 16)
  const createBreaker = () =>
    new Breaker({
      files,
      directory,
      name: id,
      store: place ? shown(place) : '',
      canWrite: () => place !== undefined && canWrite(),
      now: Date.now,
      random: Math.random,
    })
  const store = openStore(nameOf(settings, root), { createBreaker, createAdapter: () => createAdapter(settings) })
  return new RemoteTier({ settings, store, report })
}

/** Everything that the connections depend on. Undefined if the caller's code makes them. */
function nameOf({ place, token, timeouts, maxBytes }: Settings, root: string): string | undefined {
  if (!place) return undefined
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_DEFAULT_REGION } = process.env
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env
  const keys = [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN]
  const places = [AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL]
  return JSON.stringify([root, place.layout, place.url.href, token, timeouts, maxBytes, keys, places])
}

function createAdapter(settings: Settings): RemoteAdapter {
  const { adapter, place } = settings
  if (adapter) return adapter
  switch (place?.kind) {
    case 'file':
      return createFileAdapter(place, settings)
    case 'http':
      return createHttpAdapter(place, settings)
    case 'redis':
      return createRedisAdapter(place, settings)
    case 's3':
      return createS3Adapter(place, settings)
    default:
      throw new RemoteFailure('off', 'there is no adapter for its URL')
  }
}
