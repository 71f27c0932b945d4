// Where the remote tier is and who is trusted: by the host's code, else by the environment, else by `config.json` in the root
// directory. Never by a file in a repository: whoever can propose a change could then say what everybody believes.

import type { RemoteAdapter, RemoteMode, RemoteOptions } from '../api/index.js'
import { CacheError, type CacheErrorCode } from '../base/errors.js'
import { assertChoice, assertOptions, refuseOption } from '../base/options.js'
import { parseDuration, parseSize } from '../base/units.js'
import { parseConfiguration } from '../policy/configured-limits.js'
import { type PublicKey, parsePublicKey, parseSigningKey, type SigningKey } from './keys.js'
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
  /** Undefined: whoever can write to the store is trusted. */
  keys: readonly PublicKey[] | undefined
  signingKey: SigningKey | undefined
  token: string | undefined
  scope: string
  epoch: string
  timeouts: Timeouts
  maxBytes: number
}

const OPTIONS = [
  'url',
  'adapter',
  'mode',
  'trust',
  'keys',
  'signingKey',
  'token',
  'scope',
  'epoch',
  'timeouts',
  'maxObject',
] as const
/** What `config.json` may say: an adapter is code. */
const CONFIGURED = OPTIONS.filter(name => name !== 'adapter')
/** The most restrictive first. */
const MODES: readonly RemoteMode[] = ['off', 'read', 'readwrite']
const DEFAULT_TIMEOUTS = { connect: 250, read: 1000, upload: 5000 }
const DEFAULT_MAX_OBJECT = 2 ** 20

/** @throws CacheError `ERR_CACHE_OPTION` for options of the host's code */
export function assertRemoteOptions(options: unknown): RemoteOptions {
  const given = assertOptions('remote', options as RemoteOptions, [...OPTIONS])
  check(given, refuseOption)
  return given
}

/** Undefined where there is no remote. @throws CacheError `ERR_CACHE_CONFIG` that says what is wrong */
export function settingsOf(
  options: RemoteOptions | undefined,
  env: NodeJS.ProcessEnv,
  configuration: string | undefined,
): Settings | undefined {
  const configured = configurationIn(configuration)
  const surrounding = optionsOfEnvironment(env)
  check(configured, refuseConfiguration('"remote" in config.json: '))
  check(surrounding, refuseConfiguration('In the environment: '))
  const said = { ...configured, ...defined(surrounding), ...defined(options ?? {}) }
  if (options?.adapter) delete said.url
  if (said.url === undefined && !said.adapter) return undefined
  const modes = [said.mode ?? 'read', surrounding.mode ?? 'readwrite']
  const mode = MODES.find(each => modes.includes(each)) ?? 'read'
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
    // Pull requests have all of a trusted branch's settings but the key to sign with.
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

/** What the configuration says is wrong otherwise is reported by those who need it. */
function configurationIn(text: string | undefined): RemoteOptions {
  if (text === undefined) return {}
  const remote = (parseConfiguration(text) as { remote?: unknown } | null)?.remote ?? {}
  try {
    return assertOptions('"remote" in config.json', remote as RemoteOptions, CONFIGURED)
  } catch (error) {
    throw new CacheError('ERR_CACHE_CONFIG', (error as CacheError).message, { cause: error })
  }
}

type Refuse = (message: string, value: unknown) => CacheError

function refuseConfiguration(where: string): Refuse {
  const code: CacheErrorCode = 'ERR_CACHE_CONFIG'
  return (message, value) => new CacheError(code, where + message, { value })
}

/** No message holds what was given where that may be secret. */
function check(given: RemoteOptions, refuse: Refuse): void {
  const { url, adapter, mode, trust, keys, signingKey, token, scope, epoch, timeouts, maxObject } = given
  const secret = '(not shown)'
  const choice = <T extends string>(name: string, value: T | undefined, choices: readonly T[]) => {
    if (value === undefined) return
    try {
      assertChoice(name, value, choices)
    } catch (error) {
      throw refuse((error as CacheError).message, value)
    }
  }
  choice('mode', mode, MODES)
  choice('trust', trust, ['signed', 'store'])
  if (url !== undefined && (typeof url !== 'string' || !parsePlace(url))) {
    throw refuse(
      'url must be that of a store: http(s), bazel+http(s), turbo+http(s), nx+http(s), redis(s), s3 or file.',
      secret,
    )
  }
  if (adapter !== undefined && !isAdapter(adapter)) throw refuse('adapter must have getMany, put and close.', adapter)
  if (keys !== undefined && !(Array.isArray(keys) && keys.every(key => parsePublicKey(key)))) {
    throw refuse('keys must be public keys as `wicked-cache remote keygen` prints them.', secret)
  }
  if (signingKey !== undefined && !parseSigningKey(signingKey)) {
    throw refuse('signingKey must be a secret key as `wicked-cache remote keygen` prints it.', secret)
  }
  for (const [name, text] of Object.entries({ token, scope, epoch })) {
    if (text !== undefined && !(typeof text === 'string' && !/[\r\n]/.test(text)))
      throw refuse(`${name} must be a text of one line.`, secret)
  }
  for (const [name, time] of Object.entries(timesIn(timeouts, refuse))) {
    if (time !== undefined && msOf(time) === undefined)
      throw refuse(`timeouts.${name} must be ms or a duration such as '2s'.`, time)
  }
  if (maxObject !== undefined && bytesOf(maxObject) === undefined)
    throw refuse("maxObject must be bytes or a size such as '4MB'.", maxObject)
}

function timesIn(timeouts: RemoteOptions['timeouts'], refuse: Refuse): NonNullable<RemoteOptions['timeouts']> {
  try {
    return assertOptions('timeouts', timeouts, ['connect', 'read', 'upload'])
  } catch (error) {
    throw refuse((error as CacheError).message, timeouts)
  }
}

function isAdapter(adapter: Partial<RemoteAdapter> | null): boolean {
  return [adapter?.getMany, adapter?.put, adapter?.close].every(each => typeof each === 'function')
}

function msOf(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? parseDuration(value) : value
  return typeof ms === 'number' && ms > 0 && ms < 2 ** 31 ? ms : undefined
}

function bytesOf(value: unknown): number | undefined {
  const bytes = typeof value === 'string' ? parseSize(value) : value
  return typeof bytes === 'number' && bytes >= 1024 && bytes <= 2 ** 28 ? bytes : undefined
}

function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}
