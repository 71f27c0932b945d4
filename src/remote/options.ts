// Checks the options of the remote tier. `openCache` does this at once, and most processes never use the tier after that. So
// this module loads none of Node's.

import type { RemoteAdapter, RemoteMode, RemoteOptions } from '../api/index.js'
import type { CacheError } from '../base/errors.js'
import { assertChoice, assertOptions, refuseOption } from '../base/options.js'
import { parseDuration, parseSize } from '../base/units.js'
import { keyBytes, PUBLIC_PREFIX, SECRET_PREFIX } from './key-text.js'
import { parsePlace } from './place.js'

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
/** The most restrictive first. */
const MODES: readonly RemoteMode[] = ['off', 'read', 'readwrite']

/** Checks options given in code. @throws CacheError `ERR_CACHE_OPTION` */
export function assertRemoteOptions(options: unknown): RemoteOptions {
  const given = assertOptions('remote', options as RemoteOptions, [...OPTIONS])
  checkRemoteOptions(given, refuseOption)
  return given
}

/** Checks the names in `config.json`: all options except `adapter`, which is code. @throws CacheError `ERR_CACHE_OPTION` */
export function namedInConfiguration(options: unknown): RemoteOptions {
  const known = OPTIONS.filter(name => name !== 'adapter')
  return assertOptions('"remote" in config.json', options as RemoteOptions, known)
}

/** The most restrictive of these. */
export function mostRestrictive(modes: readonly RemoteMode[]): RemoteMode {
  return MODES.find(each => modes.includes(each)) ?? 'read'
}

export type Refuse = (message: string, value: unknown) => CacheError

/** Messages don't repeat values that may be secret. @throws the error that `refuse` makes */
export function checkRemoteOptions(given: RemoteOptions, refuse: Refuse): void {
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
  if (keys !== undefined && !(Array.isArray(keys) && keys.every(key => keyBytes(PUBLIC_PREFIX, key)))) {
    throw refuse('keys must be public keys as `wicked-cache remote keygen` prints them.', secret)
  }
  if (signingKey !== undefined && !keyBytes(SECRET_PREFIX, signingKey)) {
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

/** A timeout in ms; undefined if it isn't one. */
export function msOf(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? parseDuration(value) : value
  return typeof ms === 'number' && ms > 0 && ms < 2 ** 31 ? ms : undefined
}

/** A size in bytes; undefined if it isn't one. */
export function bytesOf(value: unknown): number | undefined {
  const bytes = typeof value === 'string' ? parseSize(value) : value
  return typeof bytes === 'number' && bytes >= 1024 && bytes <= 2 ** 28 ? bytes : undefined
}
