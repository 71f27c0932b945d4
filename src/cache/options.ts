// What callers pass to a cache, checked before anything is done.

import { isAbsolute, resolve } from 'node:path'
import type { CacheMode, CacheOptions, GcOptions, VerifyOptions } from '../api/index.js'
import { CacheError, type CacheWarning } from '../base/errors.js'
import { escapeNamespace } from '../base/layout.js'
import { assertChoice, assertFlag, assertOptionalFunction, assertOptions, refuseOption } from '../base/options.js'
import { checkLimits, LIMIT_OPTIONS } from '../policy/bounds.js'
import { workingDirectory } from '../project/project.js'
import { defaultDir, TRUST_ROOT } from './root.js'

const CACHE_OPTIONS = ['dir', 'mode', 'trustRoot', 'onWarning', 'clock', ...LIMIT_OPTIONS]
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
  const { inherited, problem } = inheritedMode()
  const given = dir ?? defaultDir()
  if (!isAbsolute(given) && workingDirectory() === undefined) {
    const message = `Nothing is cached in ${given}: the working directory was removed.`
    const unfound = new CacheError('ERR_CACHE_ROOT', message, { value: given })
    return {
      dir: given,
      mode: 'off' as const,
      trustRoot,
      clock,
      onWarning,
      bounds: checkLimits(options),
      problem: unfound,
    }
  }
  return {
    dir: resolve(given),
    mode: MODES.find(each => each === own || each === inherited) ?? own,
    trustRoot,
    clock,
    onWarning,
    bounds: checkLimits(options),
    problem,
  }
}

/** What the environment says for all processes that inherit it. */
function inheritedMode(): { inherited: CacheMode; problem?: CacheError } {
  const text = process.env[MODE_VARIABLE]
  if (!text) return { inherited: 'readwrite' }
  if (MODES.includes(text as CacheMode)) return { inherited: text as CacheMode }
  const message = `${MODE_VARIABLE} must be one of ${MODES.join(', ')}.`
  return { inherited: 'readwrite', problem: new CacheError('ERR_CACHE_CONFIG', message, { value: text }) }
}

export function checkVerifyOptions(options: VerifyOptions): void {
  const { repair = false } = assertOptions('verify', options, ['repair', 'onProgress', 'signal'])
  assertFlag('repair', repair)
  checkCourse(options)
}

export function checkGcOptions(options: GcOptions) {
  const known = ['namespace', 'dryRun', 'onProgress', 'signal', ...LIMIT_OPTIONS]
  const { namespace, dryRun = false, onProgress, signal } = assertOptions('gc', options, known)
  if (namespace !== undefined) escapeNamespace(namespace)
  assertFlag('dryRun', dryRun)
  checkCourse(options)
  return { namespace, dryRun, onProgress, signal, bounds: checkLimits(options) }
}

/** How a caller follows what takes long, and stops it. */
function checkCourse({ onProgress, signal }: Pick<GcOptions | VerifyOptions, 'onProgress' | 'signal'>): void {
  assertOptionalFunction('onProgress', onProgress)
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw refuseOption('signal must be an AbortSignal.', signal)
  }
}

function emitWarning({ code, message }: CacheWarning): void {
  process.emitWarning(message, { type: 'WickedCacheWarning', code })
}
