// Checks the options of `openCache` before anything is done.

import { isAbsolute, resolve } from 'node:path'
import type { CacheMode, CacheOptions, RemoteOptions } from '../api/index.js'
import { CacheError, type CacheWarning, ifThere } from '../base/errors.js'
import { assertChoice, assertFlag, assertOptionalFunction, assertOptions, refuseOption } from '../base/options.js'
import { isPlainPath } from '../compute/plain-path.js'
import { checkLimits, LIMIT_OPTIONS } from '../policy/limits.js'
import { workingDirectory } from '../project/project.js'
import { assertRemoteOptions } from '../remote/options.js'
import { TRUST_ROOT } from './dangers.js'
import { defaultDir, MEMORY, newMemoryRoot } from './root.js'

const CACHE_OPTIONS = ['dir', 'mode', 'trustRoot', 'onWarning', 'clock', 'remote', ...LIMIT_OPTIONS]
/** The most restrictive first. */
const MODES: readonly CacheMode[] = ['off', 'readonly', 'refresh', 'readwrite']
const MODE_VARIABLE = 'WICKED_CACHE'

export function checkCacheOptions(options: CacheOptions) {
  const {
    dir,
    mode = 'readwrite',
    clock = Date.now,
    onWarning = emitWarning,
    ...rest
  } = assertOptions('openCache', options, CACHE_OPTIONS)
  const { trustRoot = process.env[TRUST_ROOT] === '1' } = rest
  if (dir !== undefined && (typeof dir !== 'string' || dir === '' || dir.includes('\0'))) {
    throw refuseOption('dir must be a path.', dir)
  }
  assertFlag('trustRoot', trustRoot)
  assertOptionalFunction('clock', clock)
  assertOptionalFunction('onWarning', onWarning)
  const own = assertChoice('mode', mode, MODES)
  const { inherited, problem: invalid } = inheritedMode()
  let problem: unknown = invalid
  const guard = <T>(fallback: T, work: () => T) => ifThere(error => (problem = error), fallback, work)
  const hasRemote = rest.remote !== undefined && rest.remote !== false
  const remote = hasRemote ? guard<RemoteOptions | false>(false, () => assertRemoteOptions(rest.remote)) : rest.remote
  const limits = guard({}, () => checkLimits(options))
  const safeClock = () => toTime(clock())
  const given = dir === MEMORY ? newMemoryRoot() : (dir ?? defaultDir())
  const isLost = !isAbsolute(given) && workingDirectory() === undefined
  const message = `Nothing is cached in ${given}: the working directory was removed.`
  return {
    // A third of the time that the general check takes.
    dir: isLost || isPlainPath(given) ? given : resolve(given),
    remote: isLost ? (false as const) : remote,
    mode: isLost ? 'off' : (MODES.find(each => each === own || each === inherited) ?? own),
    trustRoot,
    clock: safeClock,
    onWarning,
    limits,
    problem: isLost ? new CacheError('ERR_CACHE_ROOT', message, { value: given }) : problem,
  }
}

/** The mode that the environment sets for all processes that inherit it. */
function inheritedMode(): { inherited: CacheMode; problem?: CacheError } {
  const text = process.env[MODE_VARIABLE]
  if (!text) return { inherited: 'readwrite' }
  if (MODES.includes(text as CacheMode)) return { inherited: text as CacheMode }
  const message = `${MODE_VARIABLE} must be one of ${MODES.join(', ')}.`
  return { inherited: 'readwrite', problem: new CacheError('ERR_CACHE_CONFIG', message, { value: text }) }
}

function emitWarning({ code, message }: CacheWarning): void {
  process.emitWarning(message, { type: 'WickedCacheWarning', code })
}

const MAX_TIME_MS = 2 ** 48 - 1

/** Limits a time to the range that entries can record. A broken clock may return a time before 1970, or NaN. */
function toTime(ms: number): number {
  return ms >= 0 && ms <= MAX_TIME_MS ? ms : ms > MAX_TIME_MS ? MAX_TIME_MS : 0
}
