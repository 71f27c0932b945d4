// Decides where the remote tier is and whom to trust: options in code first, then the environment, then `config.json` in the
// root. A file in a repository is never read: anyone who can propose a change could then make others trust their answers.

import type { RemoteAdapter, RemoteMode, RemoteOptions } from '../api/index.js'
import { CacheError } from '../base/errors.js'
import { parseConfiguration } from '../policy/configured-limits.js'
import { type PublicKey, parsePublicKey, parseSigningKey, type SigningKey } from './keys.js'
import { bytesOf, checkRemoteOptions, mostRestrictive, msOf, namedInConfiguration, type Refuse } from './options.js'
import { type Place, parsePlace } from './place.js'

export interface Timeouts {
  connectMs: number
  readMs: number
  uploadMs: number
}

export interface Settings {
  place: Place | undefined
  adapter: RemoteAdapter | undefined
  mode: RemoteMode
  trust: 'signed' | 'store'
  /** Undefined: everyone who can write to the store is trusted. */
  keys: readonly PublicKey[] | undefined
  signingKey: SigningKey | undefined
  token: string | undefined
  scope: string
  epoch: string
  timeouts: Timeouts
  maxBytes: number
}

const DEFAULT_TIMEOUTS = { connect: 250, read: 1000, upload: 5000 }
const DEFAULT_MAX_OBJECT = 2 ** 20

/** Undefined if no remote is configured. @throws CacheError `ERR_CACHE_CONFIG` for invalid settings */
export function settingsOf(
  options: RemoteOptions | undefined,
  env: NodeJS.ProcessEnv,
  configuration: string | undefined,
): Settings | undefined {
  const configured = configurationIn(configuration)
  const surrounding = optionsOfEnvironment(env)
  checkRemoteOptions(configured, refuseConfiguration('"remote" in config.json: '))
  checkRemoteOptions(surrounding, refuseConfiguration('In the environment: '))
  const said = { ...configured, ...defined(surrounding), ...defined(options ?? {}) }
  if (options?.adapter) delete said.url
  if (said.url === undefined && !said.adapter) return undefined
  const mode = mostRestrictive([said.mode ?? 'read', surrounding.mode ?? 'readwrite'])
  if (mode === 'off') return undefined
  return resolved(said, mode)
}

function resolved(said: RemoteOptions, mode: RemoteMode): Settings {
  const { trust = 'signed', scope = '', epoch = '', token, adapter } = said
  const signingKey = said.signingKey === undefined ? undefined : parseSigningKey(said.signingKey)
  const known = (said.keys ?? []).flatMap(key => parsePublicKey(key) ?? [])
  const keys = trust === 'store' ? undefined : signingKey ? [...known, signingKey] : known
  if (keys?.length === 0) {
    throw new CacheError(
      'ERR_CACHE_CONFIG',
      'The remote tier is not asked: there is no public key to check its answers with (keys, WICKED_CACHE_REMOTE_KEYS).',
    )
  }
  const { connect, read, upload } = { ...DEFAULT_TIMEOUTS, ...defined(said.timeouts ?? {}) }
  const timeouts = { connectMs: msOf(connect) ?? 0, readMs: msOf(read) ?? 0, uploadMs: msOf(upload) ?? 0 }
  return {
    place: said.url === undefined ? undefined : parsePlace(said.url),
    adapter,
    // Pull requests have the same settings as a trusted branch, except the signing key.
    mode: keys && !signingKey ? 'read' : mode,
    trust,
    keys,
    signingKey,
    token: token || undefined,
    scope,
    epoch,
    timeouts,
    maxBytes: bytesOf(said.maxObject ?? DEFAULT_MAX_OBJECT) ?? DEFAULT_MAX_OBJECT,
  }
}

function optionsOfEnvironment(env: NodeJS.ProcessEnv): RemoteOptions {
  const {
    WICKED_CACHE_REMOTE: url,
    WICKED_CACHE_REMOTE_MODE: mode,
    WICKED_CACHE_REMOTE_TOKEN: token,
    WICKED_CACHE_REMOTE_KEYS: keys,
    WICKED_CACHE_REMOTE_SIGNING_KEY: signingKey,
    WICKED_CACHE_REMOTE_SCOPE: scope,
    WICKED_CACHE_REMOTE_EPOCH: epoch,
    WICKED_CACHE_REMOTE_TRUST: trust,
  } = env
  return {
    ...(url && { url }),
    ...(mode && { mode: mode as RemoteMode }),
    ...(token && { token }),
    ...(keys && { keys: keys.split(/[\s,]+/).filter(key => key !== '') }),
    ...(signingKey && { signingKey: signingKey.trim() }),
    ...(scope && { scope }),
    ...(epoch && { epoch }),
    ...(trust && { trust: trust as 'signed' }),
  }
}

/** Other mistakes in the file are reported by the code that uses them. */
function configurationIn(text: string | undefined): RemoteOptions {
  if (text === undefined) return {}
  const remote = (parseConfiguration(text) as { remote?: unknown } | null)?.remote ?? {}
  try {
    return namedInConfiguration(remote)
  } catch (error) {
    throw new CacheError('ERR_CACHE_CONFIG', (error as CacheError).message, { cause: error })
  }
}

function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}

function refuseConfiguration(where: string): Refuse {
  return (message, value) => new CacheError('ERR_CACHE_CONFIG', where + message, { value })
}
